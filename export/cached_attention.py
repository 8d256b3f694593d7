"""Attention of single rows to a cache that is written where it lies.

In ONNX it is one operator of onnxruntime, `GroupQueryAttention`. It reads only the slots that are
filled, and where a runtime binds the same memory as a cache's input and output, it writes no more
than the new slot. Ordinary operators took half as long again: they read every slot there is, and
cut and join rows on the way.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

# There is no public way to leave an input out; a test of every export would notice a change.
from torch.onnx.symbolic_helper import _optional_input_placeholder_tensor as absent

from selftalk.models.attention import KVCache, write_slots


def attend_in_place(
    qkv: Tensor, keys: Tensor, values: Tensor, filled: Tensor, heads: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Attend from each row to the slots that are filled and to itself.

    Args:
        qkv: (B, 1, 3D) query, key and value, one after the other.
        keys: (B, H, S, D/H).
        values: (B, H, S, D/H).
        filled: (B,) int32, the slots that are.
        heads: H.

    Returns:
        (B, 1, D), keys and values with the new slot.
    """
    made: tuple[Tensor, Tensor, Tensor] = CachedAttention.apply(qkv, keys, values, filled, heads)
    return made


class CachedAttention(torch.autograd.Function):
    """`attend_in_place` in torch, and in ONNX."""

    @staticmethod
    def forward(
        ctx: Any, qkv: Tensor, keys: Tensor, values: Tensor, filled: Tensor, heads: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """With ordinary operators."""
        del ctx
        B, T, D = qkv.shape
        query, key, value = (
            part.reshape(B, T, heads, D // 3 // heads).transpose(1, 2) for part in qkv.chunk(3, -1)
        )
        cache = write_slots(KVCache(keys, values), KVCache(key, value), filled.long())
        seen = torch.arange(keys.shape[2]) <= filled[:, None]
        found = F.scaled_dot_product_attention(query, *cache, attn_mask=seen[:, None, None])
        return found.transpose(1, 2).reshape(B, T, D // 3), *cache

    @staticmethod
    def symbolic(g: Any, qkv: Any, keys: Any, values: Any, filled: Any, heads: int) -> Any:
        """As a node of a graph."""
        one = g.op("Constant", value_t=torch.ones(1, dtype=torch.int32))
        longest = g.op("ReduceMax", filled, keepdims_i=1)
        found, *cache = g.op(
            "com.microsoft::GroupQueryAttention",
            qkv, absent(g), absent(g), keys, values, filled, g.op("Add", longest, one),
            num_heads_i=heads, kv_num_heads_i=heads, outputs=3,
        )  # fmt: skip
        found.setType(qkv.type().with_sizes([None, None, None]))
        for after, before in zip(cache, (keys, values), strict=True):
            after.setType(before.type())
        return found, *cache
