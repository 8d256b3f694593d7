"""Forced alignment: how long each symbol of a known text lasts, from what a network hears.

The likeliest way through the text (Viterbi 1967): every symbol in order, none left out. Knows
nothing about the network.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.nano.alignment import FRAME_SAMPLES, UNIT_SAMPLES

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]

LEAST_LOG_PROBABILITY = -7.0
"""A network that is sure of something else may be wrong; no frame decides alone."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The way through a text."""

    frames: Int64Array
    """(N,) frames of each symbol, at least one."""
    mean_log_probability: float
    """Of the symbols where they were placed; far below the others means another text."""


def align_text(log_probabilities: Float32Array, symbols: Int64Array) -> Aligned | None:
    """Place a text; None if there are fewer frames than symbols.

    Args:
        log_probabilities: (T, V) of each symbol in each frame.
        symbols: (N,) ids of the text, silence first and last.
    """
    T, N = len(log_probabilities), len(symbols)
    if T < N:
        return None
    heard = np.maximum(log_probabilities[:, symbols], LEAST_LOG_PROBABILITY).astype(np.float64)
    best = np.full(N, -np.inf)
    best[0] = heard[0, 0]
    moved = np.zeros((T, N), bool)
    for frame in range(1, T):
        from_before = np.concatenate([[-np.inf], best[:-1]])
        moved[frame] = from_before > best
        best = np.maximum(best, from_before) + heard[frame]
    place = N - 1
    frames = np.zeros(N, np.int64)
    for frame in range(T - 1, -1, -1):
        frames[place] += 1
        place -= int(moved[frame, place])
    return Aligned(frames, float(best[-1]) / T)


def units_of(frames: Int64Array) -> Int64Array:
    """Durations in frames of 10 ms → in units of 25 ms, without adding up rounding errors."""
    ends = np.cumsum(frames) * FRAME_SAMPLES
    units: Int64Array = np.round(ends / UNIT_SAMPLES).astype(np.int64)
    return units - np.concatenate([[0], units[:-1]])
