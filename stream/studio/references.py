"""References: which slices show a voice best, calm, lively and tired.

How lively a slice is follows from what listeners go by: pitch, melody, loudness, tempo, each
relative to the person's own habits. How good it is follows from its length and from how much of
the language it holds. Knows nothing about models.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from selftalk.stream.studio.recording import Slice
from selftalk.stream.synthesis.styles import Style

SHORTEST_SECONDS, LONGEST_SECONDS = 3.0, 10.0
BEST_SECONDS = 6.0
KEPT = 3
CLEARLY = 0.75
"""Mean deviation, in standard deviations, from which a slice is lively or tired."""
USUAL_SPREAD = (1.5 * math.log(2) / 12, 1.5, 2.0, 0.8)
"""Of log pitch, melody in semitones, level in dB and syllables per second: so much and less varies
in people who read on in one mood."""

Float64Array = npt.NDArray[np.float64]


def choose_references(slices: Sequence[Slice]) -> dict[Style, tuple[int, ...]]:
    """Places of the best slices for each style, at most three each, the best first.

    Styles that the person never showed are left out; "neutral" is there unless no slice fits.
    """
    fitting = [
        place
        for place, piece in enumerate(slices)
        if SHORTEST_SECONDS <= piece.seconds <= LONGEST_SECONDS and piece.mean_log_pitch
    ]
    if not fitting:
        return {}
    chosen = [slices[place] for place in fitting]
    habits, quality = deviations(chosen), np.array([quality_of(piece) for piece in chosen])
    arousal = habits.mean(axis=1)
    ranks: dict[Style, Float64Array] = {"neutral": quality - np.abs(habits).mean(axis=1)}
    if arousal.max() > CLEARLY:
        ranks["lively"] = np.where(arousal > CLEARLY, quality + arousal, -np.inf)
    if arousal.min() < -CLEARLY:
        ranks["tired"] = np.where(arousal < -CLEARLY, quality - arousal, -np.inf)
    return {
        style: tuple(fitting[i] for i in np.argsort(-rank)[:KEPT] if np.isfinite(rank[i]))
        for style, rank in ranks.items()
    }


def deviations(slices: Sequence[Slice]) -> Float64Array:
    """How far each slice is from what is usual among the others, (slices, 4): lively is above 0."""
    traits = np.array(
        [
            [
                piece.mean_log_pitch,
                piece.pitch_spread_semitones,
                piece.level_dbfs,
                piece.syllables_per_second,
            ]
            for piece in slices
        ]
    )
    spread = np.maximum(traits.std(axis=0), USUAL_SPREAD)
    return np.asarray((traits - np.median(traits, axis=0)) / spread)


def quality_of(piece: Slice) -> float:
    """How much a slice is worth as a reference, about 0 to 1."""
    length = 1 - abs(piece.seconds - BEST_SECONDS) / BEST_SECONDS
    sounds = len(set(piece.text.lower()) - set(" ,.!?'-，。！？"))
    richness = min(1.0, sounds / 20)
    ends_well = piece.text.rstrip().endswith((".", "!", "?", "。", "！", "？"))
    return 0.4 * length + 0.3 * richness + 0.2 * piece.confidence + 0.1 * ends_well
