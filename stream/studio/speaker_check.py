"""Is it one person who speaks? Pieces of speech are grouped by their speaker embeddings.

Knows nothing about what the embeddings are made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.studio.report import Finding

ONE_SPEAKER = 0.79
"""Cosine of two groups' centres above which they are one person. Of eight readers any two lie at
0.78 or below, mostly near 0.65, and the halves of one at 0.80 and above."""
LEAST_SHARE = 0.04
ROUNDS = 10
BAD_SHARE = 0.15


class SpeakerModel(Protocol):
    """Tells voices apart."""

    def embed(self, chunk: AudioChunk) -> Float32Array:
        """The embedding of speech, of length 1."""
        ...


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks in which piece."""

    is_main: npt.NDArray[np.bool_]
    """(pieces,) whether it is the person who speaks most."""
    other_share: float
    """How much of the speech is somebody else's, 0 to 1."""
    centre: Float32Array
    """(D,) mean embedding of the main speaker, of length 1."""


def tell_apart(pieces: Sequence[AudioChunk], model: SpeakerModel) -> Speakers:
    """Find the main speaker of some pieces of speech, at least one."""
    embeddings = np.stack([model.embed(piece) for piece in pieces])
    seconds = np.array([piece.duration_seconds for piece in pieces])
    group = _two_groups(embeddings, seconds)
    others = np.zeros(len(pieces), bool)
    if group is not None:
        main = seconds[group].sum() >= seconds[~group].sum()
        others = ~group if main else group
    share = float(seconds[others].sum() / seconds.sum())
    return Speakers(~others, share, _centre(embeddings[~others], seconds[~others]))


def check_speaker(speakers: Speakers) -> Finding:
    """Does a second person speak?"""
    percent = 100 * speakers.other_share
    if not percent:
        return Finding("speaker", "good", 0.0, "%", "One person speaks.")
    verdict = "bad" if speakers.other_share > BAD_SHARE else "usable"
    return Finding(
        "speaker",
        "bad" if verdict == "bad" else "usable",
        percent,
        "%",
        f"Another person, or another microphone, is heard in {percent:.0f} % of the time.",
        "What is said there is left out; better record alone, with one microphone.",
    )


def _two_groups(
    embeddings: Float32Array, seconds: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_] | None:
    """Whether each piece is in the first of two groups; None if all are one person."""
    if len(embeddings) < 2:
        return None
    similarity = embeddings @ embeddings.T
    first, second = np.unravel_index(int(similarity.argmin()), similarity.shape)
    centres = embeddings[[first, second]]
    group = np.zeros(len(embeddings), bool)
    for _ in range(ROUNDS):
        group = embeddings @ centres[0] > embeddings @ centres[1]
        if group.all() or not group.any():
            return None
        centres = np.stack([_centre(embeddings[side], seconds[side]) for side in (group, ~group)])
    smaller = min(seconds[group].sum(), seconds[~group].sum()) / seconds.sum()
    if float(centres[0] @ centres[1]) > ONE_SPEAKER or smaller < LEAST_SHARE:
        return None
    return group


def _centre(embeddings: Float32Array, seconds: npt.NDArray[np.float64]) -> Float32Array:
    mean = (embeddings * seconds[:, None]).sum(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)
