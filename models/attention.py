"""Self-attention with an explicit key/value cache, and sine positions by table.

The cache has a fixed number of slots, so that a graph made of it has fixed shapes and a runtime
can bind one buffer as input and output. Knows nothing about phones, tokens or what comes first.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class KVCache(NamedTuple):
    """Keys and values of one layer; slots that are not filled yet hold anything finite."""

    keys: Tensor  # (B, H, S, D/H), S slots
    values: Tensor  # (B, H, S, D/H)


def write_slots(cache: KVCache, new: KVCache, start: Tensor) -> KVCache:
    """Put the T positions of `new` into the slots from start (B,) on."""
    B, H, T, W = new.keys.shape
    slots = start[:, None] + torch.arange(T, device=start.device)  # (B, T)
    index = slots[:, None, :, None].expand(B, H, T, W)
    return KVCache(
        cache.keys.scatter(2, index, new.keys), cache.values.scatter(2, index, new.values)
    )


class SelfAttention(nn.Module):
    """Multi-head attention with one fused projection for query, key and value."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        assert width % heads == 0, (width, heads)
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self, x: Tensor, mask: Tensor, cache: KVCache | None = None, start: Tensor | None = None
    ) -> tuple[Tensor, KVCache]:
        """Attend from x to the cache and to x itself.

        Args:
            x: (B, T, D).
            mask: (B or 1, 1, T, S) True where a slot may be seen; without a cache S is T.
            cache: what came before; without it x is all there is.
            start: (B,) first slot to write.

        Returns:
            (B, T, D) and the cache with the T positions of x written.
        """
        B, T, D = x.shape
        query, key, value = (
            part.view(B, T, self.heads, D // self.heads).transpose(1, 2)  # (B, H, T, D/H)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        seen = KVCache(key, value)
        if cache is not None:
            assert start is not None, "a cache needs to know where to write"
            seen = write_slots(cache, seen, start)
        y = F.scaled_dot_product_attention(query, seen.keys, seen.values, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(B, T, D)), seen


def sine_table(positions: int, width: int) -> Tensor:
    """Sinusoid positions (Vaswani et al. 2017), sine and cosine interleaved: (positions, width)."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000) / width))
    angle = torch.arange(positions)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


class SinePositions(nn.Module):
    """Adds a row of the table, times one learned scale, to each vector."""

    table: Tensor

    def __init__(self, positions: int, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("table", sine_table(positions, width), persistent=False)

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        """Place x (B, T, D) at positions (B or 1, T)."""
        return x + self.scale * self.table[positions]
