"""Postfilter: what a network averages away, put back into its spectra.

A network that must be right on average draws formants flatter than speech has them; every
parametric synthesizer does (over-smoothing: Toda and Tokuda 2007, "A speech parameter generation
algorithm considering global variance"), and postfilters that raise peaks against valleys are the
usual remedy (Chen and Gersho 1995, "Adaptive postfiltering for quality enhancement of coded
speech"). Here it is linear and works on each frame alone: the log gain of each bin moves away from
the mean of its neighbourhood. Knows nothing about time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from selftalk.stream.nano.harmonic import BINS, SAMPLE_RATE_HZ
from selftalk.stream.sound.audio import Float32Array

REACH_HZ = 1400.0
"""How far a neighbourhood goes to both sides: a formant and the valleys beside it."""
NEPERS_PER_DB = float(np.log(10) / 20)


@dataclass(frozen=True, slots=True)
class Postfilter:
    """How gains are changed; as it stands, not at all."""

    contrast: float = 0.0
    """By which part of its distance from its neighbourhood a gain of pulses or of the free part
    is moved further away. Noise stays: it has no formants worth the name."""
    treble_db: float = 0.0
    """The highest bin above the lowest, along a straight line, in all parts."""
    level_db: float = 0.0
    """Of all parts; contrast makes peaks louder, and this takes it back."""

    @classmethod
    def from_numbers(cls, numbers: Mapping[str, float]) -> "Postfilter":
        """The postfilter that a bundle's numbers ask for; without them, none."""
        return cls(
            numbers.get("postfilter_contrast", 0.0),
            numbers.get("postfilter_treble_db", 0.0),
            numbers.get("postfilter_level_db", 0.0),
        )

    def numbers(self) -> dict[str, float]:
        """What `from_numbers` reads."""
        return {
            "postfilter_contrast": self.contrast,
            "postfilter_treble_db": self.treble_db,
            "postfilter_level_db": self.level_db,
        }

    def __call__(self, gains: Float32Array) -> Float32Array:
        """Log gains (3, T, BINS) of pulses, noise and the free part → the same, changed."""
        tilted = gains + _tilt(self.treble_db, self.level_db)
        if self.contrast:
            tilted[::2] += self.contrast * (gains[::2] @ _distance_from_neighbourhood())
        return tilted


@cache
def _tilt(treble_db: float, level_db: float) -> Float32Array:
    """What is added to every frame (BINS,)."""
    decibels = level_db + treble_db * np.linspace(-0.5, 0.5, BINS)
    return np.asarray(decibels * NEPERS_PER_DB, np.float32)


@cache
def _distance_from_neighbourhood() -> Float32Array:
    """(BINS, BINS): log gains times this are each bin's distance from the mean around it.

    The mean is weighted by a Hann window; beyond both ends the outermost bin goes on.
    """
    reach = round(REACH_HZ / (SAMPLE_RATE_HZ / 2) * (BINS - 1))
    weights = np.hanning(2 * reach + 3)[1:-1]
    sources = np.arange(BINS)[:, None] + np.arange(-reach, reach + 1)  # (BINS, window)
    means = np.zeros((BINS, BINS))
    np.add.at(means, (sources.clip(0, BINS - 1), np.arange(BINS)[:, None]), weights / weights.sum())
    return np.asarray(np.eye(BINS) - means, np.float32)
