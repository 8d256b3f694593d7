"""Flow: an invertible map between the latent of speech and the prior that text predicts.

Couplings take turns: one shifts the upper half of the channels by what it reads in the lower half,
the next the lower by the upper. Shifts only, so the map neither grows nor shrinks volume. Layout is
(B, C, T). Looks layers * (kernel - 1) / 2 frames to each side, per coupling.
"""

import torch
from torch import Tensor, nn

from selftalk.models.wavenet import WaveNet, masked_frames


class Coupling(nn.Module):
    """How far to shift one half of the channels, given the other half."""

    def __init__(self, channels: int, width: int, kernel: int, layers: int, style: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(channels // 2, width, 1)
        self.wavenet = WaveNet(width, kernel, layers, style)
        self.leave = nn.Conv1d(width, channels // 2, 1)
        nn.init.zeros_(self.leave.weight)  # begin as the identity
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, style: Tensor, mask: Tensor | None) -> Tensor:
        """(B, C/2, T) → (B, C/2, T)."""
        y = self.wavenet(masked_frames(self.enter(x), mask), style, mask)
        return masked_frames(self.leave(y), mask)


class Flow(nn.Module):
    """Couplings one after another, forwards or backwards."""

    def __init__(
        self,
        channels: int,
        width: int,
        style_width: int,
        *,
        kernel: int = 5,
        layers: int = 4,
        couplings: int = 4,
    ) -> None:
        super().__init__()
        assert channels % 2 == 0, channels
        self.couplings = nn.ModuleList(
            Coupling(channels, width, kernel, layers, style_width) for _ in range(couplings)
        )
        self.margin_frames = couplings * layers * (kernel // 2)

    def forward(self, z: Tensor, style: Tensor, mask: Tensor | None = None) -> Tensor:
        """Speech latent → prior, (B, C, T) → (B, C, T)."""
        lower, upper = z.chunk(2, dim=1)
        for index, coupling in enumerate(self.couplings):
            if index % 2:
                lower = masked_frames(lower, mask) + coupling(upper, style, mask)
            else:
                upper = masked_frames(upper, mask) + coupling(lower, style, mask)
        return torch.cat([lower, upper], dim=1)

    def reverse(self, z: Tensor, style: Tensor, mask: Tensor | None = None) -> Tensor:
        """Prior → speech latent, (B, C, T) → (B, C, T)."""
        lower, upper = z.chunk(2, dim=1)
        for index in reversed(range(len(self.couplings))):
            coupling = self.couplings[index]
            if index % 2:
                lower = masked_frames(lower - coupling(upper, style, mask), mask)
            else:
                upper = masked_frames(upper - coupling(lower, style, mask), mask)
        return torch.cat([lower, upper], dim=1)
