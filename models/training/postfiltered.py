"""The runtime's postfilter in torch, for what is learnt as it will be heard.

Knows nothing about how the postfilter works: it asks for what it does to each bin, once.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from selftalk.models.nano import BINS
from selftalk.stream.nano.postfilter import Postfilter


def postfiltered(filters: Tensor, postfilter: Postfilter) -> Tensor:
    """Filters (B, T, 5 * BINS) as the runtime changes them before it speaks."""
    B, T, _ = filters.shape
    contrast, tilt = _affine(postfilter)
    gain, phase, noise_gain, free_gain, free_phase = (
        filters.float().view(B, T, 5, BINS).unbind(dim=2)
    )
    changed = (
        gain @ contrast + tilt,
        phase,
        noise_gain + tilt,
        free_gain @ contrast + tilt,
        free_phase,
    )
    return torch.stack(changed, dim=2).view(B, T, 5 * BINS)


@cache
def _affine(postfilter: Postfilter) -> tuple[Tensor, Tensor]:
    """What a postfilter does to log gains: a matrix (BINS, BINS), and (BINS,) that is added."""
    tilt = postfilter(np.zeros((3, 1, BINS), np.float32))[0, 0]
    contrast = postfilter(np.tile(np.eye(BINS, dtype=np.float32), (3, 1, 1)))[0] - tilt
    return torch.from_numpy(contrast), torch.from_numpy(tilt)
