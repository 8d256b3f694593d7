"""Loudness as listeners judge it, after ITU-R BS.1770, and bringing speech to a common one.

The weighting is applied to the spectrum of each block instead of to the samples: fast without
a filter that runs sample by sample. Knows nothing about speech.
"""

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array

TARGET_LUFS = -23.0
HIGHEST_PEAK = 0.89  # -1 dBFS
BLOCK_SECONDS = 0.4
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_DB = 10.0
OFFSET_DB = -0.691


def loudness_lufs(samples: Float32Array, sample_rate_hz: int) -> float:
    """Gated loudness of (T,) mono samples; -120 for silence."""
    size = round(BLOCK_SECONDS * sample_rate_hz)
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    starts = range(0, len(padded) - size + 1, size // 4)
    weights = _weights(size, sample_rate_hz)
    power = np.array([_power(padded[start : start + size], weights) for start in starts])
    level = OFFSET_DB + 10 * np.log10(power + 1e-12)
    heard = level > ABSOLUTE_GATE_LUFS
    if not heard.any():
        return -120.0
    mean = OFFSET_DB + 10 * np.log10(power[heard].mean())
    loud = level > mean - RELATIVE_GATE_DB
    return float(OFFSET_DB + 10 * np.log10(power[loud].mean()))


def levelled(
    samples: Float32Array, sample_rate_hz: int, target_lufs: float = TARGET_LUFS
) -> Float32Array:
    """Bring (T,) to a loudness; less if its peaks would not fit. Silence stays as it is."""
    loudness = loudness_lufs(samples, sample_rate_hz)
    peak = float(np.abs(samples).max(initial=0.0))
    if loudness <= ABSOLUTE_GATE_LUFS or not peak:
        return samples
    gain = min(10 ** ((target_lufs - loudness) / 20), HIGHEST_PEAK / peak)
    return np.asarray(samples * np.float32(gain), np.float32)


def _power(block: Float32Array, weights: npt.NDArray[np.float64]) -> float:
    """Mean weighted power, by Parseval."""
    spectrum = np.fft.rfft(block)
    return float(2 * np.sum(np.square(np.abs(spectrum)) * weights) / len(block) ** 2)


def _weights(size: int, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """The squared response of both filters of BS.1770 at the frequencies of a block.

    The analogue prototypes whose digital form the standard lists at 48 kHz, so that they hold
    at any rate.
    """
    hz = np.maximum(np.fft.rfftfreq(size, 1 / sample_rate_hz), 1e-3)
    shelf = _shelf(1j * hz / 1681.97, gain_db=3.99984, quality=0.70718)
    s = 1j * hz / 38.1355
    high_pass = s * s / (s * s + s / 0.50033 + 1)
    weights = np.square(np.abs(shelf * high_pass))
    weights[0] = 0.0
    return np.asarray(weights)


def _shelf(
    s: npt.NDArray[np.complex128], gain_db: float, quality: float
) -> npt.NDArray[np.complex128]:
    """A high shelf: 1 below its corner, `gain_db` above."""
    high = 10 ** (gain_db / 20)
    band = high**0.4996667
    return np.asarray((high * s * s + band / quality * s + 1) / (s * s + s / quality + 1))
