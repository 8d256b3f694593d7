"""Discriminators: tell real speech from generated speech, at every scale of time.

One looks at the waveform as a line, the others fold it into rows of a period (Kong et al. 2020,
"HiFi-GAN"). Only training needs them. Knows nothing about losses.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.weight_norm import normed

SLOPE = 0.1
PERIODS = (2, 3, 5, 7, 11)
PERIODS_PRO = (*PERIODS, 17, 23)

PERIOD_CHANNELS = (1, 32, 128, 512, 1024, 1024)
PERIOD_STRIDES = (3, 3, 3, 3, 1)


class Judgement(NamedTuple):
    """What one discriminator says about a waveform."""

    score: Tensor  # (B, T') towards 1 where it sounds real
    features: list[Tensor]  # of every layer, the score included


class ScaleDiscriminator(nn.Module):
    """Long grouped convolutions over the waveform."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                normed(nn.Conv1d(1, 16, 15, padding=7)),
                normed(nn.Conv1d(16, 64, 41, stride=4, groups=4, padding=20)),
                normed(nn.Conv1d(64, 256, 41, stride=4, groups=16, padding=20)),
                normed(nn.Conv1d(256, 1024, 41, stride=4, groups=64, padding=20)),
                normed(nn.Conv1d(1024, 1024, 41, stride=4, groups=256, padding=20)),
                normed(nn.Conv1d(1024, 1024, 5, padding=2)),
            ]
        )
        self.score = normed(nn.Conv1d(1024, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> Judgement:
        """Judge (B, S)."""
        return _judge(wave[:, None], self.convs, self.score)


class PeriodDiscriminator(nn.Module):
    """Convolutions along the columns of the waveform in rows of `period` samples."""

    def __init__(self, period: int, channels: Sequence[int] = PERIOD_CHANNELS) -> None:
        super().__init__()
        self.period = period
        strides = PERIOD_STRIDES[-len(channels) + 1 :]
        self.convs = nn.ModuleList(
            normed(nn.Conv2d(before, after, (5, 1), (stride, 1), (2, 0)))
            for before, after, stride in zip(channels[:-1], channels[1:], strides, strict=True)
        )
        self.score = normed(nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, wave: Tensor) -> Judgement:
        """Judge (B, S)."""
        missing = -wave.shape[1] % self.period
        x = F.pad(wave[:, None], (0, missing), mode="reflect")
        return _judge(x.unflatten(2, (-1, self.period)), self.convs, self.score)


class SpectrumDiscriminator(nn.Module):
    """Convolutions over the logarithm of the spectrogram (Jang et al. 2021, "UnivNet")."""

    window: Tensor

    def __init__(self, fft_samples: int, hop_samples: int, channels: int) -> None:
        super().__init__()
        self.fft_samples, self.hop_samples = fft_samples, hop_samples
        self.register_buffer("window", torch.hann_window(fft_samples), persistent=False)
        self.convs = nn.ModuleList(
            [
                normed(nn.Conv2d(1, channels, (9, 3), padding=(4, 1))),
                normed(nn.Conv2d(channels, channels, (9, 3), (2, 1), padding=(4, 1))),
                normed(nn.Conv2d(channels, channels, (9, 3), (2, 1), padding=(4, 1))),
                normed(nn.Conv2d(channels, channels, (9, 3), (2, 1), padding=(4, 1))),
            ]
        )
        self.score = normed(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> Judgement:
        """Judge (B, S)."""
        with torch.autocast(wave.device.type, enabled=False):
            spectrum = torch.stft(
                wave.float(), self.fft_samples, self.hop_samples, window=self.window,
                return_complex=True,
            )  # fmt: skip
            level = torch.log(spectrum.real**2 + spectrum.imag**2 + 1e-5)
        return _judge(level[:, None], self.convs, self.score)


class SlimDiscriminators(nn.Module):
    """Small judges for a small model: what HiFi-GAN's are too slow for without a GPU."""

    def __init__(self, channels: Sequence[int] = (1, 16, 32, 64, 128)) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(
            [
                SpectrumDiscriminator(1024, 256, channels[1]),
                *(PeriodDiscriminator(period, channels) for period in PERIODS),
            ]
        )

    def forward(self, wave: Tensor) -> list[Judgement]:
        """Judge (B, S), once by each."""
        return [discriminator(wave) for discriminator in self.discriminators]


class Discriminators(nn.Module):
    """One for the scale and one for each period."""

    def __init__(self, periods: Sequence[int]) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(
            [ScaleDiscriminator(), *(PeriodDiscriminator(period) for period in periods)]
        )

    def forward(self, wave: Tensor) -> list[Judgement]:
        """Judge (B, S), once by each."""
        return [discriminator(wave) for discriminator in self.discriminators]


def _judge(x: Tensor, convs: nn.ModuleList, score: nn.Module) -> Judgement:
    features = []
    for conv in convs:
        x = F.leaky_relu(conv(x), SLOPE)
        features.append(x)
    x = score(x)
    return Judgement(torch.flatten(x, 1), [*features, x])
