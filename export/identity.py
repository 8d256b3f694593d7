"""Identity: is a voice cloned from six seconds nearer to its own speaker than to all others?

The references are the teacher's, in voices that no training heard; the clone says another
sentence. Nearness is the cosine of speaker embeddings. Knows nothing about how a voice is made
from a reference: that is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.evaluation.systems import System
from selftalk.stream.sound.audio import AudioChunk, Float32Array, concat

REFERENCE_SECONDS = 6.0

Embed = Callable[[AudioChunk], Float32Array]
Clone = Callable[[AudioChunk, Sentence], AudioChunk]
"""Says a sentence in the voice of a recording."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How well clones are told apart."""

    speakers: int
    recognized: float
    """Share of clones that are nearest to their own reference."""
    own_similarity: float
    """Mean cosine with it."""
    other_similarity: float
    """Mean cosine with the references of the others."""


def identify(
    teacher: System, sentences: Sequence[Sentence], clone: Clone, embed: Embed
) -> Identity:
    """Clone every voice of a system from its own sentences and tell the clones apart.

    Args:
        teacher: whose voices are cloned.
        sentences: some for the references, the last for the clones to say.
        clone: makes the clone speak.
        embed: speech → a speaker embedding of length 1.
    """
    *told, last = sentences
    references = [reference(teacher, voice, told) for voice in teacher.voices]
    known = np.stack([embed(recording) for recording in references])
    clones = np.stack([embed(clone(recording, last)) for recording in references])
    return compare(clones, known)


def reference(system: System, voice: str, sentences: Sequence[Sentence]) -> AudioChunk:
    """Six seconds of a voice, cut wherever they end."""
    pieces: list[AudioChunk] = []
    for sentence in sentences:
        pieces.append(system.say(sentence, voice).audio)
        if sum(piece.duration_seconds for piece in pieces) >= REFERENCE_SECONDS:
            break
    whole = concat(pieces, pieces[0].sample_rate_hz)
    length = int(REFERENCE_SECONDS * whole.sample_rate_hz)
    return AudioChunk(whole.samples[:length], whole.sample_rate_hz)


def compare(clones: np.ndarray, references: np.ndarray) -> Identity:
    """Embeddings (S, D) of clones and of their references, in the same order."""
    similarity = clones @ references.T
    speakers = len(similarity)
    own = np.diag(similarity)
    return Identity(
        speakers,
        float((similarity.argmax(axis=1) == np.arange(speakers)).mean()),
        float(own.mean()),
        float((similarity.sum() - own.sum()) / (speakers * (speakers - 1))),
    )
