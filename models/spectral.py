"""Spectrograms as the official models were trained on: linear, mel, and Kaldi filter banks.

Waveforms are (B, S) or (S,) in [-1, 1]. Knows nothing about what looks at them.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

KALDI_SAMPLE_RATE_HZ = 16_000
KALDI_WINDOW_SAMPLES = 400  # 25 ms
KALDI_HOP_SAMPLES = 160  # 10 ms
KALDI_FFT_SAMPLES = 512
KALDI_LOWEST_HZ = 20.0
KALDI_PREEMPHASIS = 0.97


def spectrogram(wave: Tensor, window_samples: int, hop_samples: int) -> Tensor:
    """Magnitudes of (B, S): (B, window / 2 + 1, S / hop), frames centred, borders mirrored."""
    pad = (window_samples - hop_samples) // 2
    padded = F.pad(wave[:, None], (pad, pad), mode="reflect").squeeze(1)
    window = torch.hann_window(window_samples, device=wave.device)
    spectrum = torch.stft(
        padded, window_samples, hop_samples, window=window, center=False, return_complex=True
    )
    # The small constant keeps the gradient of the root finite in silence.
    return (spectrum.real**2 + spectrum.imag**2 + 1e-8).sqrt()


def log_mel(magnitudes: Tensor, bands: int, sample_rate_hz: int) -> Tensor:
    """Linear magnitudes (B, F, T) → natural logarithm of mel bands (B, bands, T)."""
    filters = mel_filters(bands, magnitudes.shape[1], sample_rate_hz).to(magnitudes)
    return (filters @ magnitudes).clamp(min=1e-5).log()


def mel_spectrogram(
    wave: Tensor, bands: int, sample_rate_hz: int, window_samples: int, hop_samples: int
) -> Tensor:
    """Log mel bands of (B, S): (B, bands, S / hop)."""
    return log_mel(spectrogram(wave, window_samples, hop_samples), bands, sample_rate_hz)


def mel_filters(bands: int, bins: int, sample_rate_hz: int) -> Tensor:
    """Triangles of equal area between 0 and half the sample rate, Slaney's scale: (bands, bins)."""
    highest = _slaney_mel(torch.tensor(sample_rate_hz / 2, dtype=torch.float64))
    corners = _slaney_hz(torch.linspace(0, float(highest), bands + 2, dtype=torch.float64))
    frequencies = torch.linspace(0, sample_rate_hz / 2, bins, dtype=torch.float64)
    filters = _triangles(frequencies, corners)
    area = 2 / (corners[2:] - corners[:-2])
    return (filters * area[:, None]).float()


def _triangles(frequencies: Tensor, corners: Tensor) -> Tensor:
    """Rise from corner n to n + 1, fall to n + 2: (corners - 2, frequencies)."""
    low, middle, high = (corners[:-2, None], corners[1:-1, None], corners[2:, None])
    rise = (frequencies - low) / (middle - low)
    fall = (high - frequencies) / (high - middle)
    return torch.minimum(rise, fall).clamp(min=0)


def _slaney_mel(hz: Tensor) -> Tensor:
    """Linear up to 1 kHz = 15 mel, logarithmic above, 27 mel for each factor of 6.4."""
    logarithmic = 15 + 27 * torch.log(hz.clamp(min=1000) / 1000) / math.log(6.4)
    return torch.where(hz < 1000, hz * 15 / 1000, logarithmic)


def _slaney_hz(mel: Tensor) -> Tensor:
    """The inverse of `_slaney_mel`."""
    logarithmic = 1000 * torch.exp((mel - 15) * math.log(6.4) / 27)
    return torch.where(mel < 15, mel * 1000 / 15, logarithmic)


def kaldi_fbank(wave: Tensor, bands: int = 80) -> Tensor:
    """Kaldi's log filter banks of a 16 kHz waveform (S,): (T, bands), without dither.

    25 ms windows every 10 ms, none beyond the borders; each without its mean, with pre-emphasis,
    in Povey's window; power spectrum, triangles on the mel scale from 20 Hz up.
    """
    frames = wave.unfold(0, KALDI_WINDOW_SAMPLES, KALDI_HOP_SAMPLES)
    frames = frames - frames.mean(dim=1, keepdim=True)
    before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
    frames = (frames - KALDI_PREEMPHASIS * before) * _povey_window().to(frames)
    power = torch.fft.rfft(frames, KALDI_FFT_SAMPLES).abs().square()
    energies = power @ _kaldi_filters(bands).to(power).T
    return energies.clamp(min=torch.finfo(torch.float32).eps).log()


def _povey_window() -> Tensor:
    """Hann's window to the power of 0.85: zero at the borders as his, but wider."""
    return torch.hann_window(KALDI_WINDOW_SAMPLES, periodic=False).pow(0.85)


def _kaldi_filters(bands: int) -> Tensor:
    """Triangles that are straight on the mel scale: (bands, bins)."""
    half = KALDI_SAMPLE_RATE_HZ / 2
    edges = 1127 * torch.log1p(torch.tensor([KALDI_LOWEST_HZ, half], dtype=torch.float64) / 700)
    corners = torch.linspace(float(edges[0]), float(edges[1]), bands + 2, dtype=torch.float64)
    frequencies = torch.linspace(0, half, KALDI_FFT_SAMPLES // 2 + 1, dtype=torch.float64)
    return _triangles(1127 * torch.log1p(frequencies / 700), corners).float()
