"""A progress bar with the time that is left, on one line of a terminal.

Where there is no terminal it prints a line now and then. Knows nothing about what progresses.
"""

import sys
import time
from collections.abc import Callable
from typing import TextIO

BAR_CHARACTERS = 24
TERMINAL_SECONDS = 0.2
FILE_SECONDS = 30.0
SMOOTHING = 0.05  # of the time per step: later steps tell more than the first


class ProgressBar:
    """Say where a run is; call it after every step, as `Run` does."""

    def __init__(
        self,
        title: str,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title
        self._out = out or sys.stderr
        self._clock = clock
        self._terminal = self._out.isatty()
        self._last_step: float | None = None  # what came before the first one is no step
        self._last_shown = -float("inf")
        self._timed_steps = 0
        self._seconds_per_step = 0.0

    def __call__(self, step: int, steps: int, figures: dict[str, float]) -> None:
        """Step `step` of `steps` is done; show its figures."""
        now = self._clock()
        if self._last_step is not None:
            self._timed_steps += 1
            weight = max(SMOOTHING, 1 / self._timed_steps)
            self._seconds_per_step += weight * (now - self._last_step - self._seconds_per_step)
        self._last_step = now
        pause = TERMINAL_SECONDS if self._terminal else FILE_SECONDS
        if now - self._last_shown >= pause or step == steps:
            self._last_shown = now
            self._show(step, steps, figures)

    def _show(self, step: int, steps: int, figures: dict[str, float]) -> None:
        left = f"{spoken_time((steps - step) * self._seconds_per_step)} left  "
        done = BAR_CHARACTERS * step // max(1, steps)
        bar = "█" * done + "·" * (BAR_CHARACTERS - done)
        told = " ".join(f"{name} {value:.3f}" for name, value in figures.items())
        line = f"{self.title} {bar} {step}/{steps}  {left if self._timed_steps else ''}{told}"
        if self._terminal:
            self._out.write(f"\r\x1b[K{line}" + ("\n" if step == steps else ""))
        else:
            self._out.write(line + "\n")
        self._out.flush()


def spoken_time(seconds: float) -> str:
    """A length of time as people say it: "45 s", "3 min", "2 h 5 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
