"""From the vocoder's filters to sound and to losses, in torch, for training.

The runtime does the same in numpy (`selftalk.stream.nano.harmonic`); a test holds the two together.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.nano import BINS, FFT_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ

EDGE_SAMPLES = (FFT_SAMPLES - FRAME_SAMPLES) // 2
HANN_OVERLAP = 1.5
MAX_LOG_GAIN = 6.0


def apply_filters(filters: Tensor, pulses: Tensor, noise: Tensor) -> Tensor:
    """Shape spectra of pulses and noise.

    Args:
        filters: (B, T, 5 * BINS) of `NanoVocoder`.
        pulses: complex spectra of the pulse train (B, T, BINS).
        noise: complex spectra of noise (B, T, BINS).

    Returns:
        Complex spectra of speech (B, T, BINS).
    """
    B, T, _ = filters.shape
    gain, phase, noise_gain, free_gain, free_phase = (
        filters.float().view(B, T, 5, BINS).unbind(dim=2)
    )
    pulse_filter = torch.polar(torch.exp(gain.clamp(max=MAX_LOG_GAIN)), phase)
    free = torch.polar(torch.exp(free_gain.clamp(max=MAX_LOG_GAIN)), free_phase)
    return pulse_filter * pulses + torch.exp(noise_gain.clamp(max=MAX_LOG_GAIN)) * noise + free


def overlap_add(spectra: Tensor) -> Tensor:
    """Complex spectra (B, T, BINS) → samples (B, T * FRAME_SAMPLES)."""
    T = spectra.shape[1]
    window = torch.hann_window(FFT_SAMPLES, device=spectra.device)
    frames = torch.fft.irfft(spectra, n=FFT_SAMPLES, dim=-1) * window
    total = (T - 1) * FRAME_SAMPLES + FFT_SAMPLES
    folded = F.fold(frames.transpose(1, 2), (1, total), (1, FFT_SAMPLES), stride=(1, FRAME_SAMPLES))
    return folded[:, 0, 0, EDGE_SAMPLES : EDGE_SAMPLES + T * FRAME_SAMPLES] / HANN_OVERLAP


def frame_spectra(samples: Tensor) -> Tensor:
    """Windowed spectra (B, T, BINS) of samples (B, T * FRAME_SAMPLES), zeros beyond both ends."""
    window = torch.hann_window(FFT_SAMPLES, device=samples.device)
    padded = F.pad(samples, (EDGE_SAMPLES, EDGE_SAMPLES))
    return torch.stft(
        padded, FFT_SAMPLES, FRAME_SAMPLES, window=window, center=False, return_complex=True
    ).transpose(1, 2)


def mel_filters(fft_samples: int, mels: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Tensor:
    """Triangles of unit height, evenly spaced on the mel scale: (mels, fft_samples / 2 + 1)."""
    top = 2595 * torch.log10(torch.tensor(1 + sample_rate_hz / 2 / 700))
    points = 700 * (10 ** (torch.linspace(0, float(top), mels + 2) / 2595) - 1)
    bins = torch.linspace(0, sample_rate_hz / 2, fft_samples // 2 + 1)
    low, centre, high = points[:-2, None], points[1:-1, None], points[2:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return torch.minimum(rising, falling).clamp(min=0)


class SpectralLoss(nn.Module):
    """Distance of two waveforms at three resolutions: log mel, log spectrum, convergence."""

    RESOLUTIONS = ((512, 128, 40), (1024, 256, 80), (2048, 512, 128))  # window, hop, mels

    def __init__(self) -> None:
        super().__init__()
        for index, (size, _, mels) in enumerate(self.RESOLUTIONS):
            self.register_buffer(f"window{index}", torch.hann_window(size), persistent=False)
            self.register_buffer(f"mel{index}", mel_filters(size, mels), persistent=False)

    def spectra(self, samples: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Magnitude and log mel spectrum at each resolution."""
        result = []
        for index, (size, hop, _) in enumerate(self.RESOLUTIONS):
            window, mel = getattr(self, f"window{index}"), getattr(self, f"mel{index}")
            spectrum = torch.stft(samples, size, hop, size, window, return_complex=True)
            magnitude = torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-7)
            result.append((magnitude, torch.log((mel @ magnitude).clamp_min(1e-4))))
        return result

    def forward(self, made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Compare (B, T) with (B, T): log-mel distance, and the linear spectra's distance."""
        made_spectra = self.spectra(made)
        with torch.no_grad():
            real_spectra = self.spectra(real)
        mel = torch.stack(
            [F.l1_loss(a[1], b[1]) for a, b in zip(made_spectra, real_spectra, strict=True)]
        )
        linear = torch.stack(
            [
                F.l1_loss(a.log(), b.log()) + (a - b).norm() / (b.norm() + 1e-5)
                for (a, _), (b, _) in zip(made_spectra, real_spectra, strict=True)
            ]
        )
        return mel.mean(), linear.mean()


def phase_loss(made: Tensor, real: Tensor, voiced: Tensor, top_hz: float = 4000.0) -> Tensor:
    """Distance of complex spectra below `top_hz` where the speech is voiced.

    Only right where the phase of the excitation is the real one, as with a teacher whose pitch is
    known. Fricatives have no meaningful phase and would be thinned by it.

    Args:
        made: (B, T) samples.
        real: (B, T) samples.
        voiced: (B, frames) in [0, 1] over the same time.
        top_hz: bins above this are left out.
    """
    size, hop = 1024, 256
    window = torch.hann_window(size, device=made.device)
    bins = int(top_hz / (SAMPLE_RATE_HZ / 2) * size / 2)
    a = torch.stft(made, size, hop, size, window, return_complex=True)[:, :bins]
    b = torch.stft(real, size, hop, size, window, return_complex=True)[:, :bins]
    mask = F.interpolate(voiced[:, None], size=a.shape[-1], mode="nearest")
    return ((a - b).abs() * mask).mean() / ((b.abs() * mask).mean() + 1e-4)
