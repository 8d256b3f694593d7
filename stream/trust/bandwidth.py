"""Bandwidth: does a sound hold what the watermark's decoder learned to look at?

The decoder learned from speech. Where whole bands are empty, or little lies below 1 kHz, its answer
is chance: speech through a steep filter, or a single tone, reads as marked though it is not. Such
sound cannot be judged. Knows nothing about marks.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

EMPTY_DB = -50.0
"""A band's median level against the loudest band's."""
MOST_EMPTY = 0.14
"""Share of the bands: a telephone, without anything below 300 Hz, has 0.13; of 160 recordings of
people none has more than 0.06, a pure chord 0.4."""
LEAST_TILT_DB = 3.0
"""Energy below 1 kHz against that from there to 2 kHz: people have 11 to 20, white noise has 0."""
_LOUD_SHARE = 1e-3
"""Frames with less than that share of the loudest frame's energy are pauses."""


def is_speech_wide(power: npt.NDArray[np.floating[Any]]) -> bool:
    """Whether (T, bands up to 2 kHz) of power look like speech, through a telephone or better."""
    energy = power.sum(axis=1)
    loud = power[energy > _LOUD_SHARE * energy.max(initial=0)]
    return len(loud) > 0 and _tilt_db(loud) >= LEAST_TILT_DB and _empty(loud) <= MOST_EMPTY


def _tilt_db(power: npt.NDArray[np.floating[Any]]) -> float:
    low, high = power.reshape(len(power), 2, -1).sum(axis=(0, 2))
    return float(10 * np.log10(low / high))


def _empty(power: npt.NDArray[np.floating[Any]]) -> float:
    medians = np.median(power, axis=0)
    return float((medians < medians.max() * 10 ** (EMPTY_DB / 10)).mean())
