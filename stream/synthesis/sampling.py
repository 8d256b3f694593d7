"""Choosing the next token: repetition penalty, top-p, temperature, top-k, in this order.

The order is that of GPT-SoVITS; another order gives other probabilities. Knows nothing about what a
token means or when to stop.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
TokenArray = npt.NDArray[np.int64]

COLDEST = 1e-5  # below this temperature the logits would overflow; it is greedy long before


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How adventurous the choice is; `top_k=1` always takes the best."""

    top_k: int = 15
    top_p: float = 1.0
    temperature: float = 1.0
    repetition_penalty: float = 1.35

    def __post_init__(self) -> None:
        assert self.top_k >= 1, self.top_k
        assert 0 < self.top_p <= 1, self.top_p
        assert self.temperature >= 0, self.temperature
        assert self.repetition_penalty > 0, self.repetition_penalty


class Sampler:
    """Draws tokens; the same seed and logits give the same tokens."""

    def __init__(self, config: SamplingConfig, seed: int | None = None) -> None:
        self.config = config
        self._random = np.random.default_rng(seed)

    def sample(self, logits: Float32Array, previous: TokenArray) -> int:
        """Choose a token.

        Args:
            logits: (V,); leave out or set to -inf what may not be chosen.
            previous: (T,) every token so far, prompt included.
        """
        chances = probabilities(logits, previous, self.config)
        # The largest of p / exponential noise is distributed like p, and needs no normalisation.
        return int(np.argmax(chances / self._random.exponential(size=chances.shape)))


def probabilities(
    logits: Float32Array, previous: TokenArray, config: SamplingConfig
) -> Float64Array:
    """Probability of each token (V,) given its logits (V,) and the tokens so far (T,)."""
    scores = penalize(logits.astype(np.float64), previous, config.repetition_penalty)
    scores = keep_nucleus(scores, config.top_p)
    scores = scores / max(config.temperature, COLDEST)
    return softmax(keep_best(scores, config.top_k))


def penalize(scores: Float64Array, previous: TokenArray, penalty: float) -> Float64Array:
    """Push every token that has been used away from being used again, once however often."""
    used = np.unique(previous)
    used = used[used < len(scores)]
    scores = scores.copy()
    scores[used] = np.where(scores[used] < 0, scores[used] * penalty, scores[used] / penalty)
    return scores


def keep_nucleus(scores: Float64Array, top_p: float) -> Float64Array:
    """Keep the likeliest tokens whose sum stays within top_p, and always the first."""
    if top_p >= 1:
        return scores
    order = np.argsort(-scores, kind="stable")
    beyond = np.cumsum(softmax(scores[order])) > top_p
    beyond[0] = False
    kept = scores.copy()
    kept[order[beyond]] = -np.inf
    return kept


def keep_best(scores: Float64Array, top_k: int) -> Float64Array:
    """Keep the top_k likeliest tokens, more if the last of them are equal."""
    if top_k >= len(scores):
        return scores
    threshold = np.partition(scores, -top_k)[-top_k]
    return np.where(scores < threshold, -np.inf, scores)


def softmax(scores: Float64Array) -> Float64Array:
    """Scores (V,) → probabilities (V,) that sum to 1."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())
