"""Observer: watches the newest conversation of a server, and comes back when the server does.

Reads `/v1/realtime/observe`, which mirrors what the server tells its client; an observer can say
nothing. Knows nothing about what the events mean.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from websockets.asyncio.client import connect

from selftalk.clients.client import DEFAULT_URL
from selftalk.clients.failures import (
    CONNECTION_ERRORS,
    TOKEN_VARIABLE,
    ClientError,
    is_final,
    reason,
)
from selftalk.clients.mouth import LEAD_MS
from selftalk.clients.speaking_mouth import Event, SpeakingMouth
from selftalk.clients.visemes import Mouth

OBSERVE_PATH = "/v1/realtime/observe"
FRAMES_HZ = 60
SHORTEST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 8.0


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add what every observer needs to know to a command."""
    parser.add_argument(
        "--server", default=DEFAULT_URL, metavar="URL", help="ws:// address of `selftalk serve`"
    )
    parser.add_argument(
        "--lead-ms", type=float, default=LEAD_MS, help="how far the lips are ahead of the sound"
    )


async def observe(server: str, token: str = "") -> AsyncIterator[Event]:
    """Yield events for ever; while the server is away, try again and again.

    Args:
        server: "ws://host:port" or "wss://…".
        token: the server's token if it has one.

    Raises:
        ClientError: the address is wrong, or the server does not let us in.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    wait, told = SHORTEST_WAIT_SECONDS, False
    while True:
        try:
            async with connect(
                server.rstrip("/") + OBSERVE_PATH, additional_headers=headers, compression=None
            ) as socket:
                _say(f"watching {server}")
                told = False
                async for text in socket:
                    wait = SHORTEST_WAIT_SECONDS
                    event = json.loads(text)
                    if isinstance(event, dict):
                        yield event
        except (*CONNECTION_ERRORS, ValueError) as error:
            if is_final(error):
                raise ClientError(f"cannot watch {server}: {reason(error)}") from None
            if not told:
                _say(f"nothing to watch at {server} ({reason(error)}); waiting for it")
            told = True
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)


async def mouths(server: str, lead_ms: float = LEAD_MS) -> AsyncGenerator[Mouth | None, None]:
    """Yield the mouth of who is speaking, 60 times a second; None while nobody does.

    Raises:
        ClientError: see `observe`.
    """
    speaking = SpeakingMouth(lead_ms)

    async def watch() -> None:
        async for event in observe(server, os.environ.get(TOKEN_VARIABLE, "")):
            with suppress(KeyError, TypeError, ValueError):  # not an event as we know it
                speaking.push(event, time.monotonic())

    watching = asyncio.create_task(watch())
    due = time.monotonic()
    try:
        while not watching.done():
            yield speaking.at(time.monotonic())
            due = max(due + 1 / FRAMES_HZ, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
        await watching
    finally:
        watching.cancel()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
