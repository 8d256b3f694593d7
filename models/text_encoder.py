"""A transformer with relative positions, and the encoder of tokens and phones made of it.

    tokens ── codebook vectors ─▶ Transformer ─▶ MRTE ─▶ Transformer ─▶ latent mean and scale
    phones ── embedding ─▶ Transformer ────────▶ ┘ ▲ style

Layout is (B, T, D). A mask (B, T) is True where a position is not padding; without one there is
none. Knows nothing about audio.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.mrte import Mrte


def masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """Zero the padding of x (B, T, D)."""
    return x if mask is None else x * mask[..., None]


class RelativeAttention(nn.Module):
    """Self-attention; near neighbours have a learned key and value for their distance.

    Shaw et al. 2018, "Self-Attention with Relative Position Representations".
    """

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        assert width % heads == 0, (width, heads)
        self.heads = heads
        self.window = window
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        size = width // heads
        self.distance_keys = nn.Parameter(torch.randn(2 * window + 1, size) / math.sqrt(size))
        self.distance_values = nn.Parameter(torch.randn(2 * window + 1, size) / math.sqrt(size))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        query, key, value = (self._heads(layer(x)) for layer in (self.query, self.key, self.value))
        query = query / math.sqrt(query.shape[-1])
        scores = query @ key.transpose(2, 3)  # (B, H, T, T)
        scores = scores + distances_to_positions(query @ self.distance_keys.T)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None], -math.inf)
        weights = scores.softmax(dim=-1)
        y = weights @ value + positions_to_distances(weights, self.window) @ self.distance_values
        return self.out(y.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        B, T, D = x.shape
        return x.view(B, T, self.heads, D // self.heads).transpose(1, 2)  # (B, H, T, D/H)


def distances_to_positions(x: Tensor) -> Tensor:
    """Spread what belongs to distances -W … W over positions; zero where it is farther.

    x (B, H, T, 2W + 1) → (B, H, T, T). Row t has to move t places to the right; rows that are one
    element too long do just that when they are read as rows of the right length:

        a b c . . .         a b c . .
        d e f . . .   ──▶   . d e f .
        g h i . . .         . . g h i
    """
    B, H, T, W = x.shape
    x = F.pad(x, (0, T)).flatten(2)  # T rows of W + T
    x = x[:, :, : T * (W + T - 1)].view(B, H, T, W + T - 1)
    return x[..., W // 2 : W // 2 + T]


def positions_to_distances(x: Tensor, window: int) -> Tensor:
    """Collect what belongs to distances -W … W: (B, H, T, T) → (B, H, T, 2W + 1)."""
    B, H, T, _ = x.shape
    x = F.pad(x, (window, window)).flatten(2)  # T rows of T + 2W
    x = F.pad(x, (0, T)).view(B, H, T, T + 2 * window + 1)
    return x[..., : 2 * window + 1]


class FeedForward(nn.Module):
    """Two convolutions over time with a ReLU between."""

    def __init__(self, width: int, hidden: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.expand = nn.Conv1d(width, hidden, kernel, padding=kernel // 2)
        self.contract = nn.Conv1d(hidden, width, kernel, padding=kernel // 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        y = self.dropout(F.relu(self.expand(masked(x, mask).transpose(1, 2)))).transpose(1, 2)
        return masked(self.contract(masked(y, mask).transpose(1, 2)).transpose(1, 2), mask)


class EncoderLayer(nn.Module):
    """Attention and feed-forward, each followed by its norm."""

    def __init__(
        self, width: int, hidden: int, heads: int, kernel: int, dropout: float, window: int = 4
    ) -> None:
        super().__init__()
        self.attention = RelativeAttention(width, heads, window)
        self.attention_norm = nn.LayerNorm(width)
        self.feed = FeedForward(width, hidden, kernel, dropout)
        self.feed_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        x = self.attention_norm(x + self.dropout(self.attention(x, mask)))
        return self.feed_norm(x + self.dropout(self.feed(x, mask)))


class EncoderConfig(NamedTuple):
    """Sizes of the encoder of tokens and phones."""

    symbols: int  # rows of the phone table
    input_width: int  # of the codebook vectors
    width: int
    hidden: int
    heads: int
    layers: int  # of the phone encoder; the other two have half as many
    kernel: int
    dropout: float
    cross_width: int  # of the cross attention
    latent: int


class TextEncoder(nn.Module):
    """Codebook vectors at frame rate, phones and style → the prior of the latent."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.content_in = nn.Linear(config.input_width, config.width)
        self.content_layers = _layers(config, config.layers // 2)
        self.phones = nn.Embedding(config.symbols, config.width)
        self.phone_layers = _layers(config, config.layers)
        self.mrte = Mrte(config.width, config.cross_width)
        self.joint_layers = _layers(config, config.layers // 2)
        self.latent_out = nn.Linear(config.width, 2 * config.latent)

    def forward(
        self,
        content: Tensor,
        phones: Tensor,
        style: Tensor,
        content_mask: Tensor | None = None,
        phone_mask: Tensor | None = None,
    ) -> Tensor:
        """Encode what is said and how.

        Args:
            content: (B, T, input_width) one codebook vector for each frame.
            phones: (B, N).
            style: (B, cross_width).
            content_mask: (B, T).
            phone_mask: (B, N).

        Returns:
            (B, T, D); see `latent`.
        """
        x = self.encode_content(content, content_mask)
        x = self.mrte(x, self.encode_phones(phones, phone_mask), style, phone_mask)
        return self.encode_joint(x, content_mask)

    def encode_content(self, content: Tensor, mask: Tensor | None = None) -> Tensor:
        """Codebook vectors (B, T, input_width) → (B, T, D)."""
        return _run(self.content_layers, self.content_in(content), mask)

    def encode_phones(self, phones: Tensor, mask: Tensor | None = None) -> Tensor:
        """Phones (B, N) → (B, N, D)."""
        return _run(self.phone_layers, self.phones(phones), mask)

    def encode_joint(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        return _run(self.joint_layers, x, mask)

    def latent(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encoded frames (B, T, D) → mean and logarithm of the scale, each (B, C, T)."""
        mean, log_scale = masked(self.latent_out(x), mask).transpose(1, 2).chunk(2, dim=1)
        return mean, log_scale


def _layers(config: EncoderConfig, count: int) -> nn.ModuleList:
    return nn.ModuleList(
        EncoderLayer(config.width, config.hidden, config.heads, config.kernel, config.dropout)
        for _ in range(count)
    )


def _run(layers: nn.ModuleList, x: Tensor, mask: Tensor | None) -> Tensor:
    x = masked(x, mask)
    for layer in layers:
        x = layer(x, mask)
    return masked(x, mask)
