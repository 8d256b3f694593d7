"""Mrte (multi-reference timbre encoder): speech frames look up the phones and take on the style.

Layout is (B, T, D). Knows nothing about positions: the layers before it have placed everything.
"""

from torch import Tensor, nn
from torch.nn import functional as F

HEADS = 4


class CrossAttention(nn.Module):
    """Multi-head attention from one sequence to another."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        assert width % heads == 0, (width, heads)
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor | None) -> Tensor:
        """Look from x (B, T, D) at other (B, N, D) where mask (B, N) is True: (B, T, D)."""
        y = F.scaled_dot_product_attention(
            self._heads(self.query(x)),
            self._heads(self.key(other)),
            self._heads(self.value(other)),
            attn_mask=None if mask is None else mask[:, None, None],
        )
        return self.out(y.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        B, T, D = x.shape
        return x.view(B, T, self.heads, D // self.heads).transpose(1, 2)  # (B, H, T, D/H)


class Mrte(nn.Module):
    """Content + the phones it belongs to + style."""

    def __init__(self, width: int, cross_width: int) -> None:
        super().__init__()
        self.content_in = nn.Linear(width, cross_width)
        self.phones_in = nn.Linear(width, cross_width)
        self.attention = CrossAttention(cross_width, HEADS)
        self.out = nn.Linear(cross_width, width)

    def forward(
        self, content: Tensor, phones: Tensor, style: Tensor, phone_mask: Tensor | None = None
    ) -> Tensor:
        """Content (B, T, D), phones (B, N, D), style (B, cross_width) → (B, T, D)."""
        x = self.content_in(content)
        x = x + self.attention(x, self.phones_in(phones), phone_mask) + style[:, None]
        return self.out(x)
