"""Generator: latent frames → waveform, by transposed convolutions (Kong et al. 2020, "HiFi-GAN").

Layout is (B, C, T). Looks about 11 frames to each side; at the borders it sees zeros, so a window
of a longer latent is right only that far from its borders. Most of that reach belongs to the first
upsampling: after it two frames are enough, and three quarters of the work are still to be done. So
a window is cut again before every upsampling, down to what the rest needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.weight_norm import normed

BORDER_KERNEL = 7  # of the first and the last convolution
SLOPE = 0.1  # of the leaky ReLU before every convolution
LAST_SLOPE = 0.01


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """Sizes of the generator."""

    channels: int = 512
    """At frame rate; every upsampling halves them."""
    rates: tuple[int, ...] = (10, 8, 2, 2, 2)
    """Upsampling factors; their product is the hop."""
    kernels: tuple[int, ...] = (16, 16, 8, 2, 2)
    """Kernel of each upsampling."""
    block_kernels: tuple[int, ...] = (3, 7, 11)
    """Kernels of the parallel residual blocks after each upsampling."""
    dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    """Dilations inside each of these blocks."""

    @property
    def margins(self) -> tuple[int, ...]:
        """How much to each side has a part in the sound between, in samples.

        Of what goes into the first convolution, each upsampling, and the last convolution.
        """
        block = max(
            kernel // 2 * sum(dilation + 1 for dilation in dilations)
            for kernel, dilations in zip(self.block_kernels, self.dilations, strict=True)
        )
        edge = BORDER_KERNEL // 2
        margins = [edge]
        for rate, kernel in zip(reversed(self.rates), reversed(self.kernels), strict=True):
            after, pad = margins[0] + block, (kernel - rate) // 2
            margins.insert(0, max(after - pad + kernel - 1, after + pad + rate - 1) // rate)
        return (margins[0] + edge, *margins)

    @property
    def margin_frames(self) -> int:
        """How many frames to each side have a part in the samples of a frame."""
        return self.margins[0]


class ResidualBlock(nn.Module):
    """Pairs of convolutions, the first of each pair dilated, with residual connections."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(
            normed(nn.Conv1d(channels, channels, kernel, dilation=d, padding=kernel // 2 * d))
            for d in dilations
        )
        self.plain = nn.ModuleList(
            normed(nn.Conv1d(channels, channels, kernel, padding=kernel // 2)) for _ in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            y = dilated(F.leaky_relu(x, SLOPE))
            x = x + plain(F.leaky_relu(y, SLOPE))
        return x


class ParallelBlocks(nn.Module):
    """The mean of residual blocks of different widths."""

    def __init__(self, config: GeneratorConfig, channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, kernel, dilations)
            for kernel, dilations in zip(config.block_kernels, config.dilations, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        total = self.blocks[0](x)
        for block in self.blocks[1:]:
            total = total + block(x)
        return total / len(self.blocks)


class Generator(nn.Module):
    """Upsampling steps, each followed by the mean of residual blocks of several widths."""

    def __init__(self, config: GeneratorConfig, latent: int, style_width: int) -> None:
        super().__init__()
        channels = config.channels
        self.config = config
        self.enter = nn.Conv1d(latent, channels, BORDER_KERNEL, padding=BORDER_KERNEL // 2)
        self.style = nn.Linear(style_width, channels)
        self.upsamplings = nn.ModuleList()
        self.blocks = nn.ModuleList()
        for rate, kernel in zip(config.rates, config.kernels, strict=True):
            self.upsamplings.append(
                normed(
                    nn.ConvTranspose1d(
                        channels, channels // 2, kernel, rate, padding=(kernel - rate) // 2
                    )
                )
            )
            channels //= 2
            self.blocks.append(ParallelBlocks(config, channels))
        self.leave = nn.Conv1d(channels, 1, BORDER_KERNEL, padding=BORDER_KERNEL // 2, bias=False)

    def forward(self, latent: Tensor, style: Tensor, kept: Tensor | None = None) -> Tensor:
        """Latent (B, C, T) and style (B, G) → waveform (B, T * hop) in [-1, 1].

        Args:
            latent: frames.
            style: of the voice.
            kept: (2,) the first frame that is wanted and the one after the last; by default all.
        """
        margins = iter(self.config.margins)
        latent, kept = cut(latent, kept, next(margins))
        x = self.enter(latent) + self.style(style)[:, :, None]
        steps = zip(self.upsamplings, self.blocks, self.config.rates, strict=True)
        for upsampling, blocks, rate in steps:
            x, kept = cut(x, kept, next(margins))
            x = blocks(upsampling(F.leaky_relu(x, SLOPE)))
            kept = None if kept is None else kept * rate
        x, kept = cut(x, kept, next(margins))
        wave, _ = cut(torch.tanh(self.leave(F.leaky_relu(x, LAST_SLOPE))), kept, 0)
        return wave.squeeze(1)


def cut(x: Tensor, kept: Tensor | None, margin: int) -> tuple[Tensor, Tensor | None]:
    """The samples kept (2,) of x (B, C, T) and a margin to both sides, and where they are now."""
    if kept is None:
        return x, None
    first = (kept[0] - margin).clamp(min=0)
    return x[..., first : kept[1] + margin], kept - first
