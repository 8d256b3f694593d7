"""PostNormLayer: the layer of the first transformers, as BERT and HuBERT are made of.

Vaswani et al. 2017: attention, then a feed-forward network, each added to what came in, and the
norm after the sum. Sees the whole at once; used frozen.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class PostNormLayer(nn.Module):
    """Attention and feed-forward, each followed by its norm."""

    def __init__(self, width: int, heads: int, feed_forward: int, norm_epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, norm_epsilon)
        self.expand = nn.Linear(width, feed_forward)
        self.contract = nn.Linear(feed_forward, width)
        self.feed_norm = nn.LayerNorm(width, norm_epsilon)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) → (B, T, D)."""
        B, T, D = x.shape
        query, key, value = (
            layer(x).view(B, T, self.heads, D // self.heads).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        y = F.scaled_dot_product_attention(query, key, value)
        x = self.attention_norm(x + self.out(y.transpose(1, 2).flatten(2)))
        return self.feed_norm(x + self.contract(F.gelu(self.expand(x))))
