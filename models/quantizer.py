"""Codebook: vectors ↔ semantic tokens, by the nearest entry.

Knows nothing about how the vectors are made; it does not learn (the official one is frozen too).
"""

import torch
from torch import Tensor, nn


class Codebook(nn.Module):
    """A fixed table of vectors."""

    entries: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("entries", torch.randn(size, width))

    def encode(self, x: Tensor) -> Tensor:
        """Vectors (B, T, D) → index of the nearest entry by Euclidean distance (B, T)."""
        # |x - e|² without |x|², which is the same for every entry.
        distance = self.entries.square().sum(dim=1) - 2 * x @ self.entries.T
        return distance.argmin(dim=-1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) → their vectors (B, T, D)."""
        return self.entries[tokens]
