"""SpeakerEncoder: mel bands of a recording → embedding of who speaks.

ECAPA-TDNN (Desplanques et al. 2020): dilated convolutions in branches, channel attention, and a
mean and deviation over time to which not every frame contributes alike. Layout is (B, C, T). A mask
(B, T) is True where a frame is not padding. Knows nothing about how it is trained or compared.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class SpeakerConfig:
    """Sizes of the encoder."""

    bands: int = 80
    channels: int = 512
    branches: int = 8
    dilations: tuple[int, ...] = (2, 3, 4)
    squeeze: int = 128
    embedding: int = 192


class ConvNorm(nn.Module):
    """Convolution of the same length, ReLU, batch norm."""

    def __init__(self, before: int, after: int, kernel: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            before, after, kernel, dilation=dilation, padding=kernel // 2 * dilation
        )
        self.norm = nn.BatchNorm1d(after)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) → (B, C', T)."""
        return self.norm(F.relu(self.conv(x)))


class ChannelAttention(nn.Module):
    """Scales every channel by what all frames together say about it (Hu et al. 2018)."""

    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        self.contract = nn.Linear(channels, squeeze)
        self.expand = nn.Linear(squeeze, channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        mean = (x * mask[:, None]).sum(dim=2) / mask.sum(dim=1, keepdim=True)
        return x * torch.sigmoid(self.expand(F.relu(self.contract(mean))))[:, :, None]


class SpeakerBlock(nn.Module):
    """Dilated convolutions in branches that build on each other, then channel attention."""

    def __init__(self, config: SpeakerConfig, dilation: int) -> None:
        super().__init__()
        self.width = config.channels // config.branches
        self.enter = ConvNorm(config.channels, config.channels)
        self.branches = nn.ModuleList(
            ConvNorm(self.width, self.width, 3, dilation) for _ in range(config.branches - 1)
        )
        self.leave = ConvNorm(config.channels, config.channels)
        self.attention = ChannelAttention(config.channels, config.squeeze)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        parts = (self.enter(x) * mask[:, None]).split(self.width, dim=1)
        found = [parts[0]]
        for index, branch in enumerate(self.branches):
            part = parts[index + 1] + found[-1] if index else parts[1]
            found.append(branch(part) * mask[:, None])
        return x + self.attention(self.leave(torch.cat(found, dim=1)), mask) * mask[:, None]


class AttentivePooling(nn.Module):
    """Mean and deviation over time; a frame counts by itself and by its recording."""

    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        self.contract = ConvNorm(3 * channels, squeeze)
        self.expand = nn.Conv1d(squeeze, channels, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, C, T) → (B, 2C)."""
        even = mask[:, None] / mask.sum(dim=1)[:, None, None]
        mean, deviation = _moments(x, even)
        context = torch.cat([x, mean.expand_as(x), deviation.expand_as(x)], dim=1)
        scores = self.expand(torch.tanh(self.contract(context)))
        weights = scores.masked_fill(~mask[:, None], -math.inf).softmax(dim=2)
        return torch.cat(_moments(x, weights), dim=1).squeeze(2)


def _moments(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and deviation of x (B, C, T) over time, each (B, C, 1)."""
    mean = (x * weights).sum(dim=2, keepdim=True)
    variance = ((x - mean).square() * weights).sum(dim=2, keepdim=True)
    return mean, variance.clamp(min=1e-6).sqrt()


class SpeakerEncoder(nn.Module):
    """The blocks, what all of them found pooled over time, and the embedding."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = ConvNorm(config.bands, config.channels, 5)
        self.blocks = nn.ModuleList(SpeakerBlock(config, each) for each in config.dilations)
        joined = config.channels * len(config.dilations)
        self.join = nn.Conv1d(joined, joined, 1)
        self.pool = AttentivePooling(joined, config.squeeze)
        self.norm = nn.BatchNorm1d(2 * joined)
        self.out = nn.Linear(2 * joined, config.embedding)

    def forward(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Log mel bands (B, bands, T) → unit vectors (B, embedding)."""
        if mask is None:
            mask = torch.ones(mel.shape[0], mel.shape[2], dtype=torch.bool, device=mel.device)
        x = self.enter(mel * mask[:, None]) * mask[:, None]
        found = []
        for block in self.blocks:
            x = block(x, mask)
            found.append(x)
        x = F.relu(self.join(torch.cat(found, dim=1)))
        return F.normalize(self.out(self.norm(self.pool(x, mask))), dim=1)
