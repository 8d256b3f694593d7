"""Outbox: events on their way to one client, in order, and the end of one that does not read.

Telling never waits: a session must not stand still because a client does. What waits is bounded
in bytes; a client that takes nothing for some seconds, or lets too much pile up, is cut off.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count

from selftalk.stream.protocol.codec import encode
from selftalk.stream.protocol.server_events import ServerEvent

MAX_WAITING_BYTES = 8 << 20
SENT_WITHOUT_A_BREAK = 8


class ClientStalledError(Exception):
    """The client takes nothing any more."""


class Outbox:
    """Numbers, encodes, queues and sends events."""

    def __init__(
        self,
        send_text: Callable[[str], Awaitable[None]],
        stalled_seconds: float,
        translate: Callable[[ServerEvent], list[bytes]] | None = None,
    ) -> None:
        """Take a way to send.

        Args:
            send_text: sends a message, waiting while the connection is full.
            stalled_seconds: how long it may wait.
            translate: another dialect; None for the GA one.
        """
        self.waiting_bytes = 0
        self._send_text = send_text
        self._stalled_seconds = stalled_seconds
        self._translate = translate or _as_it_is
        self._waiting: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._numbers = count(1)
        self._flushed = asyncio.Event()
        self._flushed.set()

    def send(self, event: ServerEvent) -> None:
        """Send an event soon; never waits.

        What is too much is noted, and `run` ends.
        """
        event.event_id = f"event_{next(self._numbers)}"
        for message in self._translate(event):
            self.send_encoded(message)

    def send_encoded(self, message: bytes) -> None:
        """Send ready JSON soon; never waits."""
        if self.waiting_bytes > MAX_WAITING_BYTES:
            return
        self._waiting.append(message)
        self.waiting_bytes += len(message)
        self._flushed.clear()
        self._arrived.set()

    async def run(self) -> None:
        """Send what comes until cancelled.

        Raises:
            ClientStalledError: the client does not read.
        """
        sent = 0
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                if self.waiting_bytes > MAX_WAITING_BYTES:
                    raise ClientStalledError
                message = self._waiting.popleft()
                try:
                    async with asyncio.timeout(self._stalled_seconds):
                        await self._send_text(message.decode())
                except TimeoutError as error:
                    raise ClientStalledError from error
                self.waiting_bytes -= len(message)
                sent += 1
                if sent % SENT_WITHOUT_A_BREAK == 0:
                    await asyncio.sleep(0)  # sending to a free connection never waits
            self._flushed.set()

    async def flush(self) -> None:
        """Wait until all was sent."""
        await self._flushed.wait()


def _as_it_is(event: ServerEvent) -> list[bytes]:
    return [encode(event)]
