"""Outbox: events on their way to one client, in order, and the end of one that does not read.

Telling never waits: a session must not stand still because a client does. A message goes to the
wire at once while that has room, else it waits here. What waits is bounded in bytes; a client that
takes nothing for some seconds, or lets too much pile up, is cut off.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import count

from selftalk.stream.protocol.codec import encode
from selftalk.stream.protocol.server_events import ServerEvent
from selftalk.stream.server.wire import Wire

MAX_WAITING_BYTES = 8 << 20


class ClientStalledError(Exception):
    """The client takes nothing any more."""


class ClientGoneError(Exception):
    """There is nobody to be told anything."""


class Outbox:
    """Numbers, encodes and sends events."""

    def __init__(
        self,
        wire: Wire,
        stalled_seconds: float,
        translate: Callable[[ServerEvent], list[bytes]] | None = None,
    ) -> None:
        """Take a way to send.

        Args:
            wire: where messages go; nobody else may listen to its changes.
            stalled_seconds: how long it may have no room for what waits.
            translate: another dialect; None for the GA one.
        """
        self.waiting_bytes = 0
        self._wire = wire
        self._stalled_seconds = stalled_seconds
        self._translate = translate or _as_it_is
        self._waiting: deque[bytes] = deque()
        self._numbers = count(1)
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._deadline: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None
        self._failed = asyncio.Event()
        wire.on_change = self._go_on

    def send(self, event: ServerEvent) -> None:
        """Send an event; never waits.

        What is too much is noted, and `run` ends.
        """
        event.event_id = f"event_{next(self._numbers)}"
        for message in self._translate(event):
            self.send_encoded(message)

    def send_encoded(self, message: bytes) -> None:
        """Send ready JSON; never waits."""
        if self._wire.gone:
            self._fail(ClientGoneError())
        elif self._waiting or self._wire.full:
            self._keep(message)
        else:
            self._wire.write(message)

    async def run(self) -> None:
        """Watch the client until cancelled.

        Raises:
            ClientStalledError: the client does not read.
            ClientGoneError: it should have been told something, and is gone.
        """
        try:
            await self._failed.wait()
            assert self._failure is not None
            raise self._failure
        finally:
            self._set_deadline(wanted=False)

    async def flush(self) -> None:
        """Wait until all was given to the wire."""
        await self._flushed.wait()

    def _keep(self, message: bytes) -> None:
        if self._failure is not None:
            return
        self._waiting.append(message)
        self.waiting_bytes += len(message)
        self._flushed.clear()
        if self.waiting_bytes > MAX_WAITING_BYTES:
            self._fail(ClientStalledError())
        elif self._deadline is None:
            self._set_deadline(wanted=True)

    def _go_on(self) -> None:
        """The wire has room again, or is gone."""
        if self._wire.gone and self._waiting:
            self._fail(ClientGoneError())
            return
        while self._waiting and not self._wire.full:
            message = self._waiting.popleft()
            self.waiting_bytes -= len(message)
            self._wire.write(message)
        self._set_deadline(wanted=bool(self._waiting))
        if not self._waiting:
            self._flushed.set()

    def _set_deadline(self, *, wanted: bool) -> None:
        """Count the seconds without room from now on; or do not."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if wanted:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(
                self._stalled_seconds, self._fail, ClientStalledError()
            )

    def _fail(self, failure: Exception) -> None:
        if self._failure is None:
            self._failure = failure
            self._failed.set()
            self._set_deadline(wanted=False)


def _as_it_is(event: ServerEvent) -> list[bytes]:
    return [encode(event)]
