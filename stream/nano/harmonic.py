"""Pulse trains from pitch, and the overlapping windows that turn spectra into sound.

The voiced part of speech is a train of pulses shaped by a filter: here the pulses are a sum of
all harmonics up to a limit with equal weight, in closed form (Dirichlet kernel), as in the
neural source-filter family. The unvoiced part is noise, drawn once for each absolute frame.
Knows nothing about networks; shared by synthesis and by the preparation of training data.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array

SAMPLE_RATE_HZ = 24_000
FRAME_SAMPLES = 240
FFT_SAMPLES = 960
BINS = FFT_SAMPLES // 2 + 1
EDGE_SAMPLES = (FFT_SAMPLES - FRAME_SAMPLES) // 2  # a frame's window begins this much before it
TOP_HARMONIC_HZ = 11_800.0
LOWEST_PITCH_HZ = 40.0
HANN_OVERLAP = 1.5  # sum of squared Hann windows at a quarter-window hop

Complex64Array = npt.NDArray[np.complex64]


@cache
def window() -> Float32Array:
    """Periodic Hann window (FFT_SAMPLES,)."""
    phase = np.arange(FFT_SAMPLES) / FFT_SAMPLES
    return (0.5 - 0.5 * np.cos(2 * np.pi * phase)).astype(np.float32)


def pulse_train(cycles: npt.NDArray[np.float64], pitch_hz: npt.NDArray[np.float64]) -> Float32Array:
    """Sum of equal harmonics at a running phase.

    Args:
        cycles: (T,) phase in cycles at each sample.
        pitch_hz: (T,) pitch at each sample; 0 is unvoiced and gives silence.

    Returns:
        (T,) pulses of unit power while voiced.
    """
    voiced = pitch_hz > 0
    harmonics = np.floor(TOP_HARMONIC_HZ / np.maximum(pitch_hz, LOWEST_PITCH_HZ))
    phase = 2 * np.pi * (cycles % 1.0)
    sine = np.sin(phase / 2)
    peak = np.abs(sine) < 1e-6  # all harmonics add up: the quotient's limit
    quotient = np.sin((harmonics + 0.5) * phase) / (2 * np.where(peak, 1, sine))
    kernel = np.where(peak, harmonics, quotient - 0.5)
    return np.where(voiced, kernel / np.sqrt(np.maximum(harmonics, 1)), 0).astype(np.float32)


def frame_spectra(samples: Float32Array) -> Complex64Array:
    """Windowed spectra (T, BINS) of (T * FRAME_SAMPLES + 2 * EDGE_SAMPLES,) samples."""
    frames = (len(samples) - 2 * EDGE_SAMPLES) // FRAME_SAMPLES
    windows = np.lib.stride_tricks.sliding_window_view(samples, FFT_SAMPLES)[::FRAME_SAMPLES]
    return np.fft.rfft(windows[:frames] * window(), axis=-1).astype(np.complex64)


def noise_spectra(first_frame: int, frames: int, seed: int) -> Complex64Array:
    """Spectra of white noise (frames, BINS), the same for a frame wherever a window begins."""
    blocks = range(first_frame // NOISE_BLOCK, (first_frame + frames - 1) // NOISE_BLOCK + 1)
    drawn = np.concatenate([_noise_block(block, seed) for block in blocks])
    start = first_frame - blocks[0] * NOISE_BLOCK
    return drawn[start : start + frames]


NOISE_BLOCK = 32  # frames drawn at once: a generator for each single frame would cost more


@cache
def _noise_scale() -> float:
    """Standard deviation of a real or imaginary bin of windowed unit white noise."""
    return float(np.sqrt(np.sum(window() ** 2) / 2))


def _noise_block(block: int, seed: int) -> Complex64Array:
    generator = np.random.default_rng((seed, block))
    parts = generator.standard_normal((NOISE_BLOCK, BINS, 2), dtype=np.float32) * _noise_scale()
    return parts.view(np.complex64)[..., 0]


class OverlapAdd:
    """Spectra (T, BINS) → samples; remembers the tail that later frames will add to."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new utterance."""
        self._tail = np.zeros(FFT_SAMPLES - FRAME_SAMPLES, np.float32)
        self._skip = EDGE_SAMPLES

    def push(self, spectra: Complex64Array) -> Float32Array:
        """Add frames (T, BINS); return the samples no later frame can change."""
        if not len(spectra):
            return np.zeros(0, np.float32)
        frames = np.fft.irfft(spectra, n=FFT_SAMPLES, axis=-1).astype(np.float32) * window()
        total = (len(frames) - 1) * FRAME_SAMPLES + FFT_SAMPLES
        out = np.zeros(total, np.float32)
        out[: len(self._tail)] = self._tail
        for index, frame in enumerate(frames):
            start = index * FRAME_SAMPLES
            out[start : start + FFT_SAMPLES] += frame
        done = len(frames) * FRAME_SAMPLES
        self._tail = out[done:].copy()
        ready = out[:done] / np.float32(HANN_OVERLAP)
        skipped = min(self._skip, done)
        self._skip -= skipped
        return ready[skipped:]

    def flush(self) -> Float32Array:
        """The rest up to the end of the last frame."""
        rest = self._tail[:EDGE_SAMPLES] / np.float32(HANN_OVERLAP)
        self.reset()
        return rest
