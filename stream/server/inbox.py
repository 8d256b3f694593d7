"""Inbox: messages on their way in from one client, in order, each taken the moment it comes.

While who takes them has had enough for now, messages wait here and no more are read from the
client. Knows nothing about what is in them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from selftalk.stream.server.wire import Message, Wire


class Reader(Protocol):
    """Who takes messages."""

    @property
    def full(self) -> bool:
        """Whether nothing should come for now."""
        ...

    async def room(self) -> None:
        """Wait until something may come again."""
        ...


class Inbox:
    """Hands messages over, and holds the client while it must."""

    def __init__(self, wire: Wire, take: Callable[[Message], None], reader: Reader) -> None:
        """Take a way to receive.

        Args:
            wire: from which messages come; nobody else may listen to them.
            take: called with each message, in order.
            reader: may be full after any of them.
        """
        self._wire = wire
        self._take = take
        self._reader = reader
        self._waiting: deque[Message] = deque()
        self._catching_up: asyncio.Task[None] | None = None
        wire.on_message = self.push

    def push(self, message: Message) -> None:
        """The next message; never waits."""
        if self._catching_up is not None:
            self._waiting.append(message)
            return
        self._take(message)
        if self._reader.full:
            self._wire.hold()
            self._catching_up = asyncio.create_task(self._catch_up(), name="inbox")

    def close(self) -> None:
        """Take nothing any more."""
        self._wire.on_message = None
        if self._catching_up is not None:
            self._catching_up.cancel()

    async def _catch_up(self) -> None:
        await self._reader.room()
        while self._waiting:
            self._take(self._waiting.popleft())
            await self._reader.room()
        self._catching_up = None
        self._wire.let_in()
