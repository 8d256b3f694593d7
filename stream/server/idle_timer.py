"""IdleTimer: tells that nobody has said anything for a while since the last reply was heard.

Knows nothing about sockets, and nothing about what is done then.
"""

import asyncio
from collections.abc import Callable

from selftalk.stream.dialogue.events import SpeechIgnored, SpeechStarted, TurnFinished, TurnStarted
from selftalk.stream.session import SessionNotice


class IdleTimer:
    """A listener of one session; off until `timeout_ms` is set."""

    def __init__(self, position_ms: Callable[[], int], fire: Callable[[int], None]) -> None:
        """Take what it needs.

        Args:
            position_ms: how much audio the user has sent.
            fire: called with the position at which the silence began.
        """
        self._position_ms = position_ms
        self._fire = fire
        self._timeout_ms: int | None = None
        self._began_ms = 0
        self._handle: asyncio.TimerHandle | None = None

    @property
    def timeout_ms(self) -> int | None:
        """How long the silence may last; None for ever. A change counts from now on."""
        return self._timeout_ms

    @timeout_ms.setter
    def timeout_ms(self, wanted: int | None) -> None:
        waited, self._timeout_ms = self._handle is not None, wanted
        self.cancel()
        if waited:
            self._begin()

    def __call__(self, notice: SessionNotice) -> None:
        """Take note of what happens."""
        match notice:
            case TurnFinished() | SpeechIgnored():
                self._begin()
            case SpeechStarted() | TurnStarted():
                self.cancel()
            case _:
                pass

    def cancel(self) -> None:
        """Wait no longer, until the next reply was heard."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _begin(self) -> None:
        self.cancel()
        if self._timeout_ms is not None:
            self._began_ms = self._position_ms()
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(self._timeout_ms / 1000, self._over)

    def _over(self) -> None:
        self._handle = None
        self._fire(self._began_ms)
