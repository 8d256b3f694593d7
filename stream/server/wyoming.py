"""The Wyoming protocol over TCP: recogniser and voices for Home Assistant and its relatives.

    describe → info        ping → pong
    transcribe, audio-start, audio-chunk …, audio-stop → transcript-chunk …, transcript
    synthesize → audio-start, audio-chunk …, audio-stop
    synthesize-start, synthesize-chunk …, synthesize-stop → the same, sentence by sentence

The protocol knows no passwords, so the listener stays on the loopback unless the owner of the
network says otherwise. A client that leaves ends what was computed for it within a step.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from selftalk.stream.errors import DeviceError, SelftalkError
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.wyoming_events import (
    LONGEST_LINE_BYTES,
    Event,
    Line,
    WyomingError,
    read_event,
)
from selftalk.stream.server.wyoming_hearing import Hearing
from selftalk.stream.server.wyoming_info import info
from selftalk.stream.server.wyoming_speaking import Speaking

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 64
IDLE_SECONDS = 300.0

Answer = Callable[[Event], Awaitable[None]]


async def start(context: ServerContext, host: str, port: int) -> asyncio.Server:
    """Listen at an address of this machine; close what is returned to end.

    Raises:
        DeviceError: somebody else listens there.
    """
    door = Door(context)
    try:
        return await asyncio.start_server(door.serve, host, port, limit=LONGEST_LINE_BYTES)
    except OSError as error:
        raise DeviceError(f"cannot listen on {host}:{port}: is it in use?") from error


class Door:
    """Lets clients in, and cleans up behind them."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._connected = 0
        context.telemetry.gauge("wyoming_connections", lambda: self._connected)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it leaves."""
        self._connected += 1
        try:
            if self._connected <= MOST_CONNECTIONS:
                await Connection(self._context, reader, writer).run()
        except WyomingError as error:
            log.info("a Wyoming client was shown the door: %s", error)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._connected -= 1
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


class Connection:
    """One client. It is read all the time, so that its leaving is noticed."""

    def __init__(
        self, context: ServerContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._context = context
        self._reader = reader
        self._line = Line(writer, context.server.stalled_reader_seconds)
        self._hearing = Hearing(context, self._line)
        self._speaking = Speaking(context, self._line)
        self._answers: dict[str, Answer] = {
            "describe": self._describe,
            "ping": self._ping,
            **self._hearing.answers,
            **self._speaking.answers,
        }

    async def run(self) -> None:
        """Answer until the client leaves.

        Raises:
            WyomingError: what came is no event.
            TimeoutError: nothing came for a long time, or the client reads nothing.
        """
        try:
            while (event := await self._next()) is not None:
                answer = self._answers.get(event.type)
                if answer is not None:  # unknown events are passed over, as the protocol wants
                    await self._try(answer, event)
        finally:
            await self._hearing.close()
            await self._speaking.close()

    async def _next(self) -> Event | None:
        async with asyncio.timeout(IDLE_SECONDS):
            return await read_event(self._reader)

    async def _try(self, answer: Answer, event: Event) -> None:
        try:
            await answer(event)
        except SelftalkError as error:
            await self._line.fail(error)

    async def _describe(self, _event: Event) -> None:
        await self._line.send("info", info(self._context))

    async def _ping(self, event: Event) -> None:
        await self._line.send("pong", {"text": str(event.data.get("text") or "")[:1000]})
