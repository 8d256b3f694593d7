"""Convolutions over time whose streaming state is a value.

    y, state = layer(x, state)

Fed in chunks, a layer returns exactly what it returns for the whole; the whole is one chunk after
`initial_state`. A convolution that looks r frames ahead returns r frames fewer on its first call
(they need frames that have not come yet) and from then on as many as it gets; at the end of the
stream push r frames of zeros. Layout is (B, C, T). Knows nothing about what the frames are.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvState(NamedTuple):
    """What a convolution remembers of the past."""

    previous: Tensor  # (B, C, P): at most (kernel - 1) * dilation frames


class CausalConv1d(nn.Conv1d):
    """Convolution of past and present frames, and of `lookahead` frames to come.

    With a stride, every chunk has to be a multiple of it.
    """

    def __init__(
        self,
        channels: int,
        channels_out: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        lookahead: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(
            channels, channels_out, kernel, stride, 0, dilation, groups=groups, bias=bias
        )
        self.reach = (kernel - 1) * dilation + 1 - stride
        assert 0 <= lookahead <= self.reach, (lookahead, self.reach)
        assert lookahead % stride == 0, (lookahead, stride)
        self.lookahead = lookahead

    def initial_state(self, batch: int) -> ConvState:
        """The state before the first frame: silence."""
        frames = self.reach - self.lookahead
        return ConvState(self.weight.new_zeros(batch, self.in_channels, frames))

    def forward(self, x: Tensor, state: ConvState) -> tuple[Tensor, ConvState]:  # type: ignore[override]
        """Filter x (B, C, T) into (B, C', T / stride), less the look-ahead on the first call."""
        joined = torch.cat([state.previous, x], dim=2)
        if joined.shape[2] < self.reach + self.stride[0]:  # not one window is complete yet
            return x.new_zeros(len(x), self.out_channels, 0), ConvState(joined)
        y = F.conv1d(joined, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)
        return y, ConvState(joined[:, :, joined.shape[2] - self.reach :])


class OverlapState(NamedTuple):
    """What a transposed convolution has begun but not finished."""

    partial: Tensor  # (B, C', kernel - stride), without the bias


class CausalConvTranspose1d(nn.ConvTranspose1d):
    """Upsampling by `stride`; frames that later input still adds to are carried over.

    The whole is shorter than that of `nn.ConvTranspose1d` by the last kernel - stride frames.
    """

    def __init__(
        self, channels: int, channels_out: int, kernel: int, stride: int, *, bias: bool = True
    ) -> None:
        super().__init__(channels, channels_out, kernel, stride, bias=bias)
        assert kernel >= stride, (kernel, stride)
        self.overlap = kernel - stride

    def initial_state(self, batch: int) -> OverlapState:
        """The state before the first frame: nothing is left over."""
        return OverlapState(self.weight.new_zeros(batch, self.out_channels, self.overlap))

    def forward(  # type: ignore[override]
        self, x: Tensor, state: OverlapState
    ) -> tuple[Tensor, OverlapState]:
        """Upsample x (B, C, T) into (B, C', T * stride)."""
        sums = F.conv_transpose1d(x, self.weight, None, self.stride)  # (B, C', T*stride + overlap)
        sums = sums + F.pad(state.partial, (0, sums.shape[2] - self.overlap))
        whole = x.shape[2] * self.stride[0]
        y = sums[:, :, :whole]
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y, OverlapState(sums[:, :, whole:])
