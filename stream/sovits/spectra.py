"""Spectra of a reference recording as official models were trained on: linear, and Kaldi's.

The same as `models.spectral`, in numpy. Waveforms are (T,) in [-1, 1].
"""

from functools import cache

import numpy as np

from selftalk.stream.sound.audio import Float32Array

SAMPLE_RATE_HZ = 16_000
BANDS = 80
_WINDOW_SAMPLES, _HOP_SAMPLES, _FFT_SAMPLES = 400, 160, 512
_LOWEST_HZ = 20.0
_PREEMPHASIS = 0.97


def spectrogram(wave: Float32Array, window_samples: int, hop_samples: int) -> Float32Array:
    """Magnitudes (window / 2 + 1, T / hop), frames centred, borders mirrored."""
    padded = np.pad(wave, (window_samples - hop_samples) // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_samples)[::hop_samples]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_samples) / window_samples)
    power = np.square(np.abs(np.fft.rfft(frames * hann, axis=1)))
    return np.ascontiguousarray(np.sqrt(power + 1e-8).T, np.float32)


def kaldi_fbank(wave: Float32Array) -> Float32Array:
    """Log filter banks of 16 kHz sound: (T, 80), without dither."""
    frames = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW_SAMPLES)[::_HOP_SAMPLES]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW_SAMPLES) / (_WINDOW_SAMPLES - 1))
    windowed = (frames - _PREEMPHASIS * before) * hann**0.85
    power = np.square(np.abs(np.fft.rfft(windowed, _FFT_SAMPLES, axis=1)))
    energies = power @ _filters().T
    return np.asarray(np.log(np.maximum(energies, np.finfo(np.float32).eps)), np.float32)


@cache
def _filters() -> Float32Array:
    """Triangles that are straight on the mel scale: (bands, bins)."""
    half = SAMPLE_RATE_HZ / 2

    def mel(hz: "np.typing.ArrayLike") -> np.typing.NDArray[np.float64]:
        return 1127 * np.log1p(np.asarray(hz, np.float64) / 700)

    corners = np.linspace(mel(_LOWEST_HZ), mel(half), BANDS + 2)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bins = mel(np.linspace(0, half, _FFT_SAMPLES // 2 + 1))
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return np.asarray(triangles.clip(min=0), np.float32)
