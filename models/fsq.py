"""Finite scalar quantization: a codebook that needs no codebook.

Each of a few values is squashed and rounded to a small number of levels; the code is their mixed
radix number (Mentzer et al. 2023, "Finite Scalar Quantization: VQ-VAE Made Simple").
"""

import math

import torch
from torch import Tensor, nn


class FiniteScalarQuantizer(nn.Module):
    """(B, T, C) → levels in [-1, 1] (B, T, D) and code numbers (B, T)."""

    top: Tensor
    radix: Tensor

    def __init__(self, width: int, levels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = levels
        self.codes = math.prod(levels)
        self.project = nn.Linear(width, len(levels))
        radix = [math.prod(levels[:index]) for index in range(len(levels))]
        self.register_buffer("top", torch.tensor(levels) - 1, persistent=False)
        self.register_buffer("radix", torch.tensor(radix), persistent=False)

    def squash(self, x: Tensor) -> Tensor:
        """Values before rounding, each in [0, levels - 1]: (B, T, C) → (B, T, D)."""
        return torch.sigmoid(self.project(x).float()) * self.top

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Quantize; the gradient passes the rounding straight through."""
        squashed = self.squash(x)
        rounded = squashed.round()
        straight = squashed + (rounded - squashed).detach()
        return 2 * straight / self.top - 1, (rounded.long() * self.radix).sum(-1)

    def values(self, codes: Tensor) -> Tensor:
        """The levels in [-1, 1] of code numbers: (B, T) → (B, T, D)."""
        return fsq_values(codes, self.levels)


def fsq_values(codes: Tensor, levels: tuple[int, ...]) -> Tensor:
    """The levels in [-1, 1] of code numbers: (B, T) → (B, T, D)."""
    values = []
    for level in levels:
        values.append(2 * (codes % level) / (level - 1) - 1)
        codes = codes // level
    return torch.stack(values, dim=-1).float()
