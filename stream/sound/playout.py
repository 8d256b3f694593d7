"""Playout: samples on their way to a loudspeaker, and how much of each generation was heard.

The writer queues, clears and changes the gain; the renderer, which may be the callback of a
sound card, takes blocks and never waits. Generations that were cleared are faded out, their
queue is skipped, and nothing more of them is accepted: the last hop of a barge-in.
Knows nothing about devices, files, or asyncio.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sound.ring import SampleRing

QUEUE_MS = 2000
"""Enough to bridge a busy machine; more would only delay the generator's own backpressure."""
FADE_MS = 20
"""Short enough to feel immediate, long enough not to click."""
REMEMBERED_GENERATIONS = 16
REMEMBERED_BLOCKS = 256


@dataclass(slots=True)
class _Span:
    """Where in the ring a generation lies."""

    generation: int
    start: int
    stop: int


@dataclass(slots=True)
class _Cut:
    """A request to the renderer: fade what comes next, then go on at `stop`."""

    stop: int
    faded_samples: int = 0


def _continued(cut: _Cut | None, stop: int) -> _Cut:
    """The cut that follows one still under way: its fade must not jump back to full level."""
    return _Cut(stop) if cut is None else _Cut(max(stop, cut.stop), cut.faded_samples)


class Playout:
    """The queue of one loudspeaker, all counts at its own sample rate."""

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.latency_samples = 0
        """How long a rendered sample takes to be heard."""
        self.starved_samples = 0
        """How much silence was rendered inside a generation because its samples came late."""
        self._ring = SampleRing(sample_rate_hz * QUEUE_MS // 1000)
        self._fade = np.linspace(1, 0, sample_rate_hz * FADE_MS // 1000, dtype=np.float32)
        self._spans: deque[_Span] = deque(maxlen=REMEMBERED_GENERATIONS)
        self._cut: _Cut | None = None
        self._cleared_generation = -1
        self._open_generation: int | None = None
        self._gain = self._wanted_gain = 1.0
        self._rendered_samples = 0
        self._history: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_BLOCKS)

    # --- the writer -----------------------------------------------------------------------

    def write(self, samples: Float32Array, generation: int) -> int:
        """Queue (T,) samples.

        Returns:
            How many found room, or -1 if the generation was cleared.
        """
        if generation <= self._cleared_generation:
            return -1
        room = samples[: self._ring.free_samples]
        span = self._span(generation)
        self._open_generation = generation
        span.stop += len(room)
        return self._ring.write(room)

    def finish(self, generation: int) -> None:
        """Say that this generation is complete: silence after it is no starvation."""
        if self._open_generation == generation:
            self._open_generation = None

    def clear(self, generation: int) -> int:
        """Silence this and all older generations after a fade.

        Returns:
            How many samples of `generation` are heard, fade and device latency included.
        """
        self._cleared_generation = max(self._cleared_generation, generation)
        if self._open_generation is not None and self._open_generation <= generation:
            self._open_generation = None
        position = self._ring.read_samples
        silent_from = position + len(self._fade)
        cleared = [span for span in self._spans if span.generation <= generation]
        stop = max((span.stop for span in cleared), default=0)
        for span in cleared:
            span.stop = max(span.start, min(span.stop, silent_from))
        if stop > position:
            self._cut = _continued(self._cut, stop)
        return self._length(generation, self._ring.written_samples)

    def set_gain(self, gain: float) -> None:
        """Render with this linear gain from now on, reached within the time of a fade."""
        self._wanted_gain = gain

    def is_cleared(self, generation: int) -> bool:
        """Whether nothing of this generation is accepted any more."""
        return generation <= self._cleared_generation

    def heard(self, generation: int) -> int:
        """How many samples of this generation have been heard."""
        return self._length(generation, self._heard_position())

    def queued(self, generation: int) -> int:
        """How many samples of this generation are accepted and will still be heard."""
        total = self._length(generation, self._ring.written_samples)
        return total - self.heard(generation)

    # --- the renderer ---------------------------------------------------------------------

    def render(self, out: Float32Array) -> None:
        """Fill `out`, (T,), with what comes next; silence where there is nothing."""
        cut = self._cut
        faded = self._render_fade(cut, out) if cut is not None else 0
        filled = faded + self._ring.read_into(out[faded:])
        out[filled:] = 0.0
        if self._open_generation is not None:
            self.starved_samples += len(out) - filled
        self._apply_gain(out)
        self._rendered_samples += len(out)
        self._history.append((self._rendered_samples, self._ring.read_samples))

    def _render_fade(self, cut: _Cut, out: Float32Array) -> int:
        fade = self._fade[cut.faded_samples :]
        left = max(0, min(len(fade), cut.stop - self._ring.read_samples))
        count = min(left, len(out))
        self._ring.read_into(out[:count])
        out[:count] *= fade[:count]
        cut.faded_samples += count
        if count == left:
            self._ring.skip_to(cut.stop)
            if self._cut is cut:
                self._cut = None
        return count

    def _apply_gain(self, out: Float32Array) -> None:
        if self._gain != self._wanted_gain:
            reach = len(out) / len(self._fade)
            change = max(-reach, min(reach, self._wanted_gain - self._gain))
            out *= np.linspace(self._gain, self._gain + change, len(out), dtype=np.float32)
            self._gain += change
        elif self._gain != 1.0:
            out *= self._gain

    # --- positions ------------------------------------------------------------------------

    def _span(self, generation: int) -> _Span:
        if not self._spans or self._spans[-1].generation != generation:
            written = self._ring.written_samples
            self._spans.append(_Span(generation, written, written))
        return self._spans[-1]

    def _length(self, generation: int, position: int) -> int:
        """How much of a generation lies before this position of the ring."""
        spans = [span for span in tuple(self._spans) if span.generation == generation]
        return sum(max(0, min(position, span.stop) - span.start) for span in spans)

    def _heard_position(self) -> int:
        """Where the renderer was `latency_samples` ago."""
        if not self.latency_samples:
            return self._ring.read_samples
        heard_until = self._rendered_samples - self.latency_samples
        past = [position for rendered, position in tuple(self._history) if rendered <= heard_until]
        return past[-1] if past else 0
