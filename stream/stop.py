"""StopFlag: how an inference thread learns that nobody wants its result any more.

Cancelling an asyncio task does not stop the thread it waits for, so every loop that
generates (tokens, text, audio) looks at one of these between two steps.
"""

import threading


class Stopped(Exception):  # noqa: N818 - not an error: the caller asked for it
    """Raised inside a generating loop after its flag was set."""


class StopFlag:
    """A thread-safe flag that is set once and never cleared."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask the loop to end at its next step."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether the loop was asked to end."""
        return self._event.is_set()

    def raise_if_set(self) -> None:
        """Raise `Stopped` if the loop was asked to end."""
        if self._event.is_set():
            raise Stopped
