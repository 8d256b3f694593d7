"""PlaybackClock: where a listener's loudspeaker is, told only what was sent to it and when.

Whoever listens plays what arrives one after another, as soon as it arrives. So does this clock;
what is pushed late makes a gap here as it does there. Knows nothing about sound or sockets.
"""

from collections import deque
from typing import NamedTuple

LEAD_SECONDS = 0.1
"""From the arrival of the first sound to when it is heard: the buffers of a page and its device."""


class Position(NamedTuple):
    """A moment of an item's audio."""

    item_id: str
    milliseconds: float


class _Run(NamedTuple):
    """A piece of an item that is heard without a gap."""

    item_id: str
    from_ms: float
    at_seconds: float
    duration_ms: float


class PlaybackClock:
    """Positions in what is being heard; all seconds are of one clock of the caller's."""

    def __init__(self, lead_seconds: float = LEAD_SECONDS) -> None:
        self._lead_seconds = lead_seconds
        self._runs: deque[_Run] = deque()
        self._item_id = ""
        self._sent_ms = 0.0
        self._free_at = 0.0
        self._dropped_id = ""

    def push(self, item_id: str, duration_ms: float, now: float) -> None:
        """The next piece of an item's audio was sent to the listener."""
        if item_id == self._dropped_id:
            return
        if item_id != self._item_id:
            self._item_id, self._sent_ms = item_id, 0.0
        if self._free_at <= now:
            self._free_at = now + self._lead_seconds
        self._runs.append(_Run(item_id, self._sent_ms, self._free_at, duration_ms))
        self._sent_ms += duration_ms
        self._free_at += duration_ms / 1000

    def cut(self, now: float) -> None:
        """The listener threw away what was not heard yet, and wants no more of that item."""
        self._runs.clear()
        self._free_at = now
        self._dropped_id = self._item_id

    def position(self, now: float) -> Position | None:
        """What is heard now; None in silence."""
        while self._runs and now >= self._runs[0].at_seconds + self._runs[0].duration_ms / 1000:
            self._runs.popleft()
        if not self._runs or now < self._runs[0].at_seconds:
            return None
        run = self._runs[0]
        return Position(run.item_id, run.from_ms + 1000 * (now - run.at_seconds))
