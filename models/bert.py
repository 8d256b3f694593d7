"""Bert: characters of a Chinese text → what they mean where they stand.

BERT (Devlin et al. 2019) as in chinese-roberta-wwm-ext-large; the official models take what leaves
the third last layer, so the last two are left out. Used frozen, one text at a time. Knows nothing
about files: `checkpoint` names the weights of a `transformers` folder.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from selftalk.models.post_norm import PostNormLayer

UNUSED_LAYERS = 2
"""At the end."""


@dataclass(frozen=True, slots=True)
class BertConfig:
    """Sizes of the encoder; the defaults are those of the official one."""

    vocabulary: int = 21_128
    width: int = 1024
    layers: int = 24
    """The last ones included that are not used."""
    heads: int = 16
    feed_forward: int = 4096
    positions: int = 512
    norm_epsilon: float = 1e-12


class Bert(nn.Module):
    """Embeddings of characters and places, and the layers that are used."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.places = nn.Embedding(config.positions, config.width)
        self.kinds = nn.Embedding(2, config.width)
        """Of two texts at once; here there is always one."""
        self.norm = nn.LayerNorm(config.width, config.norm_epsilon)
        used = config.layers - UNUSED_LAYERS
        self.layers = nn.ModuleList(
            PostNormLayer(config.width, config.heads, config.feed_forward, config.norm_epsilon)
            for _ in range(used)
        )

    def forward(self, ids: Tensor) -> Tensor:
        """Ids (B, T) of texts of one length, both end marks included → (B, T, width)."""
        place = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(self.words(ids) + self.places(place) + self.kinds.weight[0])
        for layer in self.layers:
            x = layer(x)
        return x
