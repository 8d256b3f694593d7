"""Hubert: waveform at 16 kHz → self-supervised speech features at 50 Hz.

HuBERT base (Hsu et al. 2021) as in chinese-hubert-base; the official models take its last layer.
Used frozen. Knows nothing about files: `checkpoint` names the weights of a `transformers` folder.
"""

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.post_norm import PostNormLayer

SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class HubertConfig:
    """Sizes of the encoder; the defaults are those of the base model."""

    width: int = 768
    layers: int = 12
    heads: int = 12
    feed_forward: int = 3072
    conv_channels: int = 512
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    position_kernel: int = 128
    position_groups: int = 16
    norm_epsilon: float = 1e-5

    @property
    def hop_samples(self) -> int:
        """Samples of one frame."""
        return math.prod(self.conv_strides)


class WaveEncoder(nn.Module):
    """Strided convolutions; only the first is normalised, each channel over the recording."""

    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        before = (1, *[config.conv_channels] * (len(config.conv_kernels) - 1))
        self.convs = nn.ModuleList(
            nn.Conv1d(channels, config.conv_channels, kernel, stride, bias=False)
            for channels, kernel, stride in zip(
                before, config.conv_kernels, config.conv_strides, strict=True
            )
        )
        self.norm = nn.GroupNorm(config.conv_channels, config.conv_channels)

    def forward(self, wave: Tensor) -> Tensor:
        """(B, S) → (B, T, C)."""
        x = wave[:, None]
        for index, conv in enumerate(self.convs):
            x = conv(x)
            x = F.gelu(x if index else self.norm(x))
        return x.transpose(1, 2)


class PositionConv(nn.Module):
    """Adds what the surroundings of a frame say about its place."""

    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        kernel = config.position_kernel
        self.conv = nn.Conv1d(
            config.width, config.width, kernel, padding=kernel // 2, groups=config.position_groups
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        y = self.conv(x.transpose(1, 2))[:, :, : x.shape[1]]  # an even kernel gives one too many
        return x + F.gelu(y).transpose(1, 2)


class Hubert(nn.Module):
    """The wave encoder and the transformer."""

    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.config = config
        self.wave_encoder = WaveEncoder(config)
        self.wave_norm = nn.LayerNorm(config.conv_channels, config.norm_epsilon)
        self.enter = nn.Linear(config.conv_channels, config.width)
        self.positions = PositionConv(config)
        self.norm = nn.LayerNorm(config.width, config.norm_epsilon)
        self.layers = nn.ModuleList(
            PostNormLayer(config.width, config.heads, config.feed_forward, config.norm_epsilon)
            for _ in range(config.layers)
        )

    def forward(self, wave: Tensor) -> Tensor:
        """Waveform (B, S), at least one window long → features of the last layer (B, T, width)."""
        x = self.enter(self.wave_norm(self.wave_encoder(wave)))
        x = self.norm(self.positions(x))
        for layer in self.layers:
            x = layer(x)
        return x
