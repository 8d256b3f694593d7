"""StyleEncoder: spectrogram of a reference recording → one vector for how it sounds.

After Min et al. 2021, "Meta-StyleSpeech". Layout is (B, T, D). A mask (B, T) is True where a frame
is not padding; padding changes nothing.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 128
HEADS = 2


class GatedConv(nn.Module):
    """x + convolution, half of whose channels open and close the other half."""

    def __init__(self, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, 2 * width, kernel, padding=kernel // 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        y = F.glu(self.conv(x.transpose(1, 2)), dim=1)
        return x + self.dropout(y.transpose(1, 2))


class StyleAttention(nn.Module):
    """Self-attention with a residual connection and without a norm."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        B, T, D = x.shape
        query, key, value = (
            layer(x).view(B, T, self.heads, D // self.heads).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        # The scale is that of the whole width, not of one head.
        y = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if mask is None else mask[:, None, None],
            scale=1 / math.sqrt(D),
        )
        return x + self.dropout(self.out(y.transpose(1, 2).flatten(2)))


class StyleEncoder(nn.Module):
    """Frames one by one, then with their neighbours, then all together."""

    def __init__(self, bins: int, style_width: int, kernel: int = 5, dropout: float = 0.1) -> None:
        super().__init__()
        self.bins = bins
        self.frame_in = nn.Linear(bins, HIDDEN)
        self.frame_hidden = nn.Linear(HIDDEN, HIDDEN)
        self.convs = nn.ModuleList(GatedConv(HIDDEN, kernel, dropout) for _ in range(2))
        self.attention = StyleAttention(HIDDEN, HEADS, dropout)
        self.out = nn.Linear(HIDDEN, style_width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, spectrum: Tensor, mask: Tensor | None = None) -> Tensor:
        """Linear magnitudes (B, F, T), F at least `bins` → style (B, G)."""
        x = self.frames(spectrum)
        for conv in self.convs:
            x = conv(x if mask is None else x * mask[..., None])
        return self.pool(x, mask)

    def frames(self, spectrum: Tensor) -> Tensor:
        """Transform each frame of (B, F, T) by itself: (B, T, D)."""
        x = spectrum[:, : self.bins].transpose(1, 2)
        x = self.dropout(F.mish(self.frame_in(x)))
        return self.dropout(F.mish(self.frame_hidden(x)))

    def pool(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let the frames (B, T, D) see each other, and take their mean: (B, G)."""
        x = self.out(self.attention(x, mask))
        if mask is None:
            return x.mean(dim=1)
        weights = mask / mask.sum(dim=1, keepdim=True)
        return torch.einsum("btg,bt->bg", x, weights)
