"""The log-mel features of Whisper, which several models listen to.

80 bands, one frame each 10 ms. Knows nothing about those models.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sound.io import SAMPLE_RATE_HZ

WINDOW_SAMPLES = 400  # 25 ms
HOP_SAMPLES = 160  # 10 ms
MEL_BANDS = 80
DYNAMIC_RANGE = 8.0  # powers of ten kept below the loudest band


def log_mel(samples: Float32Array) -> Float32Array:
    """Features of 16 kHz samples (T,): (80, T // 160), roughly in [-1, 1]."""
    padded = np.pad(samples, WINDOW_SAMPLES // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    frames = frames[: len(samples) // HOP_SAMPLES]  # (frames, window)
    power = np.square(np.abs(np.fft.rfft(frames * _hann_window()))).T  # (bins, frames)
    log_power = np.log10(np.maximum(mel_filters() @ power, 1e-10))  # (bands, frames)
    floored = np.maximum(log_power, log_power.max() - DYNAMIC_RANGE)
    return np.asarray((floored + 4.0) / 4.0, np.float32)


@lru_cache(maxsize=2)
def mel_filters(bands: int = MEL_BANDS) -> npt.NDArray[np.float64]:
    """Triangles of equal area, evenly spaced on Slaney's mel scale: (bands, 201)."""
    highest_mel = _mel_of_hz(SAMPLE_RATE_HZ / 2)
    corners_hz = _hz_of_mel(np.linspace(0.0, highest_mel, bands + 2))[:, None]
    bins_hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SAMPLE_RATE_HZ)[None, :]
    low, centre, high = corners_hz[:-2], corners_hz[1:-1], corners_hz[2:]  # (bands, 1) each
    rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * 2.0 / (high - low), np.float64)


@lru_cache(maxsize=1)
def _hann_window() -> npt.NDArray[np.float64]:
    """The periodic Hann window, (400,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES)


# Slaney's scale: linear up to 1 kHz (15 mel), then 27 mel for each factor of 6.4.
KNEE_HZ, KNEE_MEL = 1000.0, 15.0
MEL_PER_LOG = 27.0 / np.log(6.4)


def _mel_of_hz(hz: float) -> float:
    if hz < KNEE_HZ:
        return hz * KNEE_MEL / KNEE_HZ
    return float(KNEE_MEL + np.log(hz / KNEE_HZ) * MEL_PER_LOG)


def _hz_of_mel(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = KNEE_HZ * np.exp((mel - KNEE_MEL) / MEL_PER_LOG)
    return np.where(mel < KNEE_MEL, mel * KNEE_HZ / KNEE_MEL, above)
