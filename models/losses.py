"""Training losses of both stages, as functions of tensors.

Padding never counts: a batch of different lengths has the losses of its items. Knows nothing about
optimisers, weights of the sum, or where the tensors come from.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def token_targets(tokens: Tensor, lengths: Tensor, end_token: int) -> Tensor:
    """Tokens (B, T) of given lengths (B,) → targets (B, T + 1), the end token after each."""
    index = torch.arange(tokens.shape[1] + 1, device=tokens.device)
    return F.pad(tokens, (0, 1)).where(index < lengths[:, None], end_token)


def token_loss(logits: Tensor, tokens: Tensor, lengths: Tensor, end_token: int) -> Tensor:
    """Cross entropy summed over every token and one end token for each item.

    Args:
        logits: (B, T + 1, V), see `Text2Semantic.forward`.
        tokens: (B, T), anything beyond the lengths (B,).
        lengths: (B,).
        end_token: what follows the last token.
    """
    targets = token_targets(tokens, lengths, end_token)
    each = F.cross_entropy(logits.transpose(1, 2).float(), targets, reduction="none")
    counted = torch.arange(each.shape[1], device=each.device) <= lengths[:, None]
    return each.where(counted, 0.0).sum()


def top_accuracy(logits: Tensor, targets: Tensor, ignore: int, best: int = 3) -> Tensor:
    """Share of targets (B, T) among the `best` highest logits (B, T, V), `ignore` left out."""
    hit = (logits.topk(best, dim=-1).indices == targets[..., None]).any(dim=-1)
    return hit[targets != ignore].float().mean()


def kl_divergence(
    z_p: Tensor, posterior_log_scale: Tensor, mean: Tensor, log_scale: Tensor, mask: Tensor | None
) -> Tensor:
    """How far the posterior sample is from the prior, per frame; all (B, C, T), mask (B, T).

    Args:
        z_p: the posterior sample after the flow.
        posterior_log_scale: of the posterior, before the flow.
        mean: of the prior.
        log_scale: of the prior.
        mask: True where a frame is not padding.
    """
    each = log_scale - posterior_log_scale - 0.5
    each = each + 0.5 * (z_p - mean) ** 2 * torch.exp(-2 * log_scale)
    if mask is None:
        return each.sum() / (each.shape[0] * each.shape[2])
    return (each * mask[:, None]).sum() / mask.sum()


def discriminator_loss(real: Sequence[Tensor], generated: Sequence[Tensor]) -> Tensor:
    """Least squares: scores of real speech towards 1, of generated speech towards 0."""
    losses = [
        (1 - score_real).square().mean() + score_generated.square().mean()
        for score_real, score_generated in zip(real, generated, strict=True)
    ]
    return torch.stack(losses).sum()


def generator_loss(generated: Sequence[Tensor]) -> Tensor:
    """Least squares: scores of generated speech towards 1."""
    return torch.stack([(1 - score).square().mean() for score in generated]).sum()


def feature_loss(real: Sequence[Sequence[Tensor]], generated: Sequence[Sequence[Tensor]]) -> Tensor:
    """Twice the mean distance of every feature map from that of the real speech."""
    losses = [
        F.l1_loss(map_generated, map_real.detach())
        for maps_real, maps_generated in zip(real, generated, strict=True)
        for map_real, map_generated in zip(maps_real, maps_generated, strict=True)
    ]
    return 2 * torch.stack(losses).sum()
