"""Speakers: what nano is told of who speaks, while it learns and afterwards.

Training knows the timbre of every utterance exactly: it is half of the style that the teacher was
given. It is moved a little, so that points between the training speakers mean something too. Of a
person only the embedding of a speaker encoder is known; a linear map, fitted on the corpus, guesses
the timbre from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy

from selftalk.models.training.corpus import Utterance
from selftalk.stream.nano.timbre import TIMBRE_SIZE
from selftalk.stream.sound.audio import Float32Array, write_atomically

BLUR = 0.15  # of timbres of unit variance
PITCH_BLUR = 0.05
RIDGE = 0.3


def blurred(speaker: Float32Array, generator: np.random.Generator) -> Float32Array:
    """A speaker vector (129,) moved a little in a random direction."""
    step = BLUR * generator.standard_normal(len(speaker))
    step[-1] *= PITCH_BLUR / BLUR
    return (speaker + step).astype(np.float32)


@dataclass(frozen=True, slots=True)
class TimbreMap:
    """A linear map from speaker embeddings to timbres."""

    weight: Float32Array  # (128, 256)
    bias: Float32Array  # (128,)

    def guess(self, embedding: Float32Array) -> Float32Array:
        """The timbre (128,) of an embedding (256,)."""
        timbre: Float32Array = self.weight @ embedding + self.bias
        return timbre

    def save(self, path: Path) -> None:
        """Write the map."""
        arrays = {"weight": self.weight, "bias": self.bias}
        write_atomically(path, safetensors.numpy.save(arrays))

    @classmethod
    def load(cls, path: Path) -> "TimbreMap":
        """Read what `save` wrote."""
        return cls(**safetensors.numpy.load_file(path))


def fit_timbres(utterances: Sequence[Utterance]) -> TimbreMap:
    """Ridge regression from embeddings to timbres."""
    known = [(u.speaker_embedding, u.style) for u in utterances if u.speaker_embedding is not None]
    embeddings = np.stack([embedding for embedding, _ in known]).astype(np.float64)
    timbres = np.stack([style[:TIMBRE_SIZE] for _, style in known]).astype(np.float64)
    mean_embedding, mean_timbre = embeddings.mean(axis=0), timbres.mean(axis=0)
    x, y = embeddings - mean_embedding, timbres - mean_timbre
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y).T
    bias = mean_timbre - weights @ mean_embedding
    # safetensors would write the memory of a transposed array as it lies.
    return TimbreMap(np.ascontiguousarray(weights, np.float32), bias.astype(np.float32))
