"""ConvNeXt blocks over time whose streaming state is a value.

The one building block of nano: a depthwise convolution, a LayerNorm, a FiLM condition and a
pointwise network, with a residual connection (Liu et al. 2022, "A ConvNet for the 2020s"; over
time as in Siuzdak 2023, "Vocos"). Layout is (B, T, C): the pointwise layers, where the time goes,
are then plain matrix products.

A convolution that looks r frames ahead returns r frames fewer on its first call and from then on as
many as it gets; its residual connection is delayed alike. Chunked output therefore equals whole
output exactly, with nothing to mask.
"""

import contextlib
import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvState(NamedTuple):
    """What a convolution has to remember of the past."""

    previous: Tensor  # (B, P, C): P = kernel - 1, at the start kernel - 1 - lookahead zeros


class DepthwiseConv(nn.Module):
    """Convolution of each channel over time, causal but for `lookahead` frames."""

    def __init__(self, channels: int, kernel: int, lookahead: int = 0) -> None:
        super().__init__()
        assert 0 <= lookahead < kernel, (lookahead, kernel)
        self.kernel = kernel
        self.lookahead = lookahead
        self.weight = nn.Parameter(torch.randn(channels, 1, 1, kernel) / math.sqrt(kernel))
        self.bias = nn.Parameter(torch.zeros(channels))

    def initial_state(self, batch: int) -> ConvState:
        """The state before the first frame."""
        pad = self.kernel - 1 - self.lookahead
        return ConvState(self.weight.new_zeros(batch, pad, len(self.bias)))

    def forward(self, x: Tensor, state: ConvState) -> tuple[Tensor, Tensor, ConvState]:
        """Filter x (B, T, C).

        Returns:
            The filtered frames (B, T', C), the input frames they belong to (B, T', C), the state.
            T' is T, less the look-ahead on the first call.
        """
        joined = torch.cat([state.previous, x], dim=1)
        # A 2-d convolution of height 1 is several times faster than conv1d on CPU in training.
        image = joined.transpose(1, 2).unsqueeze(2)  # (B, C, 1, P + T)
        y = F.conv2d(image, self.weight, self.bias, groups=len(self.bias))
        y = y.squeeze(2).transpose(1, 2)
        start = self.kernel - 1 - self.lookahead
        centre = joined[:, start : joined.shape[1] - self.lookahead]
        return y, centre, ConvState(joined[:, joined.shape[1] - self.kernel + 1 :])


def full_precision(x: Tensor) -> contextlib.AbstractContextManager[None]:
    """Switch autocast off where it is on; elsewhere add nothing an export would carry."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.autocast(x.device.type, enabled=False)
    return contextlib.nullcontext()


class ConvNeXtBlock(nn.Module):
    """x + gain * MLP(FiLM(norm(conv(x)))) with the state of its convolution."""

    def __init__(
        self, width: int, hidden: int, kernel: int, lookahead: int = 0, condition: int = 0
    ) -> None:
        super().__init__()
        self.conv = DepthwiseConv(width, kernel, lookahead)
        self.norm = nn.LayerNorm(width)
        self.film = nn.Linear(condition, 2 * width) if condition else None
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.gain = nn.Parameter(torch.full((width,), 0.3))
        if self.film is not None:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)

    def initial_state(self, batch: int) -> ConvState:
        """The state before the first frame."""
        return self.conv.initial_state(batch)

    def forward(
        self, x: Tensor, state: ConvState, condition: Tensor | None = None
    ) -> tuple[Tensor, ConvState]:
        """Transform x (B, T, C), conditioned on (B, condition), into (B, T', C)."""
        with full_precision(x):  # depthwise convolution is slow in bfloat16
            y, centre, state = self.conv(x.float(), state)
        y = self.norm(y)
        if self.film is not None:
            assert condition is not None, "a FiLM block needs its condition"
            scale, shift = self.film(condition).unsqueeze(1).chunk(2, dim=-1)
            y = y * (1 + scale) + shift
        y = self.contract(F.gelu(self.expand(y), approximate="tanh"))
        return centre + self.gain * y, state

    def whole(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Transform a complete x (B, T, C) into (B, T, C), zeros beyond its end."""
        ahead = F.pad(x, (0, 0, 0, self.conv.lookahead))
        y: Tensor = self(ahead, self.initial_state(len(x)), condition)[0]
        return y


class ConvNeXtStack(nn.Module):
    """Blocks one after another; the last `ahead_blocks` look ahead by half their kernel."""

    def __init__(
        self,
        blocks: int,
        width: int,
        hidden: int,
        kernel: int,
        ahead_blocks: int = 0,
        condition: int = 0,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(
                width,
                hidden,
                kernel,
                kernel // 2 if index >= blocks - ahead_blocks else 0,
                condition,
            )
            for index in range(blocks)
        )
        self.lookahead = ahead_blocks * (kernel // 2)

    def initial_state(self, batch: int) -> tuple[ConvState, ...]:
        """One state for each block."""
        return tuple(block.initial_state(batch) for block in self.each())

    def each(self) -> Iterator[ConvNeXtBlock]:
        """The blocks in order."""
        for block in self.blocks:
            assert isinstance(block, ConvNeXtBlock), type(block)
            yield block

    def forward(
        self, x: Tensor, state: tuple[ConvState, ...], condition: Tensor | None = None
    ) -> tuple[Tensor, tuple[ConvState, ...]]:
        """Transform x (B, T, C) into (B, T - lookahead, C) at first, (B, T, C) afterwards."""
        after = []
        for block, block_state in zip(self.each(), state, strict=True):
            x, block_state = block(x, block_state, condition)
            after.append(block_state)
        return x, tuple(after)

    def whole(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Transform a complete x (B, T, C) into (B, T, C), zeros beyond its end."""
        for block in self.each():
            x = block.whole(x, condition)
        return x
