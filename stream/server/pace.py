"""Pace: how fast audio may come, so that nobody's upload takes the processor from the others.

Knows nothing about what is in the audio.
"""

from collections.abc import Callable
from time import monotonic

TIMES_REAL_TIME = 2.0


class Pace:
    """A bucket that lets a burst through, then twice real time."""

    def __init__(self, burst_seconds: float, seconds: Callable[[], float] = monotonic) -> None:
        self._burst_seconds = burst_seconds
        self._seconds = seconds
        self._allowed = burst_seconds
        self._last = seconds()

    def take(self, audio_seconds: float) -> float:
        """Take note of audio; return how long to wait before the next."""
        now = self._seconds()
        grown = self._allowed + (now - self._last) * TIMES_REAL_TIME
        self._allowed, self._last = min(self._burst_seconds, grown) - audio_seconds, now
        return max(0.0, -self._allowed / TIMES_REAL_TIME)
