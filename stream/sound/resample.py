"""Changing the sample rate of a stream: chunked equals whole.

`Resampler` (soxr) is for files and speech in bulk: best quality, but it works in blocks and
holds back 20 to 110 ms. `LiveResampler` is for sound that is heard or cancelled now: a
windowed-sinc filter of our own that holds back half its length, 1 ms at 16 kHz.
Knows nothing about channels, devices, or speech.
"""

import math
from functools import lru_cache

import numpy as np
import soxr

from selftalk.stream.sound.audio import Float32Array

ZERO_CROSSINGS = 16
"""Half length of the live filter in samples of the lower rate; more is steeper and later."""
KAISER_BETA = 8.0
"""Stop band of about -80 dB."""
MOST_PHASES_AT_ONCE = 8
"""Ratios of small numbers, which live sound has, are one product of matrices: five times faster."""


class Resampler:
    """A soxr stream with flush and reset; equal rates pass through untouched."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        assert min(from_hz, to_hz) > 0, (from_hz, to_hz)
        self.from_hz = from_hz
        self.to_hz = to_hz
        self.reset()

    def push(self, samples: Float32Array) -> Float32Array:
        """Add (T,) samples; return those that are certain by now, at the new rate."""
        if self._stream is None:
            return samples
        return self._convert(samples, last=False)

    def flush(self) -> Float32Array:
        """Return the rest, as if silence followed, and start afresh."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        rest = self._convert(np.zeros(0, np.float32), last=True)
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget everything pushed."""
        same = self.from_hz == self.to_hz
        self._stream = (
            None if same else soxr.ResampleStream(self.from_hz, self.to_hz, 1, dtype="float32")
        )

    def _convert(self, samples: Float32Array, last: bool) -> Float32Array:
        assert self._stream is not None
        return np.asarray(self._stream.resample_chunk(samples, last=last), np.float32)


class LiveResampler:
    """A polyphase filter for any ratio of whole numbers; never waits for a block.

    Output sample n lies at input time n * from_hz / to_hz exactly, so that positions can be
    converted by the ratio of the rates.
    """

    _recent: Float32Array

    def __init__(self, from_hz: int, to_hz: int) -> None:
        assert min(from_hz, to_hz) > 0, (from_hz, to_hz)
        self.from_hz = from_hz
        self.to_hz = to_hz
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._phases = _phase_filters(self._up, self._down)
        self._taps = self._phases.shape[1]
        few = self._up <= MOST_PHASES_AT_ONCE
        self._period = _period_filter(self._up, self._down) if few else None
        self.delay_samples = self._taps // 2
        """How many input samples beyond its own time an output sample waits for."""
        self.reset()

    def push(self, samples: Float32Array) -> Float32Array:
        """Add (T,) samples; return all output whose input has arrived."""
        if self._up == self._down:
            return samples
        self._received += len(samples)
        self._recent = np.concatenate([self._recent, samples])
        last_time = self._received - self.delay_samples - 1  # newest input time with full context
        stop = max(self._sent, (last_time * self._up) // self._down + 1)
        return self._outputs(stop)

    def flush(self) -> Float32Array:
        """Return the rest, as if silence followed, and start afresh."""
        if self._up == self._down:
            return np.zeros(0, np.float32)
        whole_output = -(-self._received * self._up // self._down)
        silence = np.zeros(self.delay_samples + 1, np.float32)
        self._recent = np.concatenate([self._recent, silence])
        rest = self._outputs(max(self._sent, whole_output))
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget everything pushed."""
        self._received = 0
        self._sent = 0
        # `_recent[0]` is the input sample of time `_first`; silence came before time 0.
        self._first = -self._taps
        self._recent = np.zeros(self._taps, np.float32)

    def _outputs(self, stop: int) -> Float32Array:
        """Compute outputs `_sent` to `stop` (exclusive) and drop the input no longer needed."""
        if stop == self._sent:
            return np.zeros(0, np.float32)
        outputs = self._by_output(stop) if self._period is None else self._by_period(stop)
        self._sent = stop
        oldest = (stop // self._up) * self._down - self._taps
        drop = max(0, min(oldest - self._first, len(self._recent)))
        self._recent, self._first = self._recent[drop:], self._first + drop
        return outputs

    def _by_output(self, stop: int) -> Float32Array:
        times = np.arange(self._sent, stop, dtype=np.int64) * self._down
        centres, phases = times // self._up, times % self._up
        starts = centres - (self._taps - 1 - self.delay_samples) - self._first
        windows = self._recent[starts[:, None] + np.arange(self._taps)]  # (N, taps)
        return np.asarray(np.einsum("nt,nt->n", windows, self._phases[phases]), np.float32)

    def _by_period(self, stop: int) -> Float32Array:
        """The same by periods of `up` outputs from `down` inputs; the ends are cut off."""
        assert self._period is not None
        first, last = self._sent // self._up, -(-stop // self._up)
        width = len(self._period)
        start = first * self._down - (self._taps - 1 - self.delay_samples) - self._first
        needed = start + (last - first - 1) * self._down + width
        recent = self._recent
        if needed > len(recent):  # only outputs after `stop` look at these zeros
            recent = np.concatenate([recent, np.zeros(needed - len(recent), np.float32)])
        step = recent.itemsize
        windows: Float32Array = np.ndarray(
            (last - first, width), np.float32, recent, start * step, (self._down * step, step)
        )
        outputs: Float32Array = (np.ascontiguousarray(windows) @ self._period).ravel()
        return outputs[self._sent - first * self._up : stop - first * self._up]


def resample(samples: Float32Array, from_hz: int, to_hz: int) -> Float32Array:
    """Convert a whole (T,) recording at once."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(samples), resampler.flush()])


@lru_cache(maxsize=16)
def _phase_filters(up: int, down: int) -> Float32Array:
    """The filter seen by each of the `up` output phases: (up, taps), each row sums to 1."""
    width = max(1.0, down / up)  # a lower output rate needs a longer filter
    half = math.ceil(ZERO_CROSSINGS * width)
    offsets = np.arange(-half + 1, half + 1)[None, :] - np.arange(up)[:, None] / up  # (up, taps)
    cutoff = 0.92 / width  # of the input's half rate; leaves room for the transition band
    edge = np.sqrt(np.clip(1 - (offsets / half) ** 2, 0, None))
    filters = np.sinc(cutoff * offsets) * np.i0(KAISER_BETA * edge)
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), np.float32)


@lru_cache(maxsize=16)
def _period_filter(up: int, down: int) -> Float32Array:
    """All phases side by side, each where its output needs it: (taps + down - 1, up)."""
    phases = _phase_filters(up, down)
    taps = phases.shape[1]
    columns = np.zeros((taps + down - 1, up), np.float32)
    for output in range(up):
        centre, phase = divmod(output * down, up)
        columns[centre : centre + taps, output] = phases[phase]
    return columns
