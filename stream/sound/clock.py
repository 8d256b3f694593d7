"""SampleClock: the time of a session that runs from and to files, counted in samples.

The microphone file drives it, 20 ms at a time, and the speaker file renders exactly as much:
full duplex, sample-locked. In real time each step waits until it is due. Fast, time stands
still while a job is busy and runs freely otherwise, so that a whole conversation is
deterministic and takes only the time of its computing. Knows nothing about files.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from selftalk.stream.sound.io import SAMPLE_RATE_HZ

SETTLING_STEPS = 10
"""Turns of the event loop given to the other tasks before time may pass again."""


class SampleClock:
    """Time at 16 kHz that passes only by `advance`."""

    def __init__(self, fast: bool = False) -> None:
        self.fast = fast
        self.position_samples = 0
        self._listeners: list[Callable[[int], None]] = []
        self._busy_jobs = 0
        self._busy_since = 0.0
        self._busy_seconds = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._step = asyncio.Event()
        self._started: float | None = None

    def subscribe(self, listener: Callable[[int], None]) -> None:
        """Call `listener(samples)` whenever so much time has passed."""
        self._listeners.append(listener)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let fast time stand still while a computation is awaited in another thread.

        Never wait for playback inside it: playback needs time to pass.
        """
        if not self._busy_jobs:
            self._busy_since = time.monotonic()
        self._busy_jobs += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._busy_jobs -= 1
            if not self._busy_jobs:
                self._busy_seconds += time.monotonic() - self._busy_since
                self._idle.set()

    def seconds(self) -> float:
        """How late it is for somebody who measures: of fast time, computing is a part.

        May be called from any thread.
        """
        if not self.fast:
            return time.monotonic()
        computing = time.monotonic() - self._busy_since if self._busy_jobs else 0.0
        return self.position_samples / SAMPLE_RATE_HZ + self._busy_seconds + computing

    async def advance(self, samples: int) -> None:
        """Let time pass: wait until that is due, then tell the listeners."""
        await (self._settle() if self.fast else self._sleep_until_due(samples))
        self.position_samples += samples
        for listener in self._listeners:
            listener(samples)
        step, self._step = self._step, asyncio.Event()
        step.set()

    async def next_step(self) -> None:
        """Wait until time has passed once more."""
        await self._step.wait()

    async def _settle(self) -> None:
        """Wait until no job is busy, not even one that another job's end has started."""
        for _ in range(SETTLING_STEPS):
            await asyncio.sleep(0)
        while self._busy_jobs:
            await self._idle.wait()
            for _ in range(SETTLING_STEPS):
                await asyncio.sleep(0)

    async def _sleep_until_due(self, samples: int) -> None:
        now = time.monotonic()
        if self._started is None:
            self._started = now
        due = self._started + (self.position_samples + samples) / SAMPLE_RATE_HZ
        await asyncio.sleep(max(0.0, due - now))
