"""Speakers: which embedding an utterance is conditioned on while it is learnt.

An utterance has an embedding of its own, by which a network could learn it by heart; in use the
embedding comes from another recording of the person. So training takes that of the speaker's
other utterances, moved a little.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from selftalk.models.training.examples import Example
from selftalk.stream.audio import Float32Array

BLUR = 0.3  # about the distance between two recordings of one person; embeddings have length 1
PITCH_BLUR = 0.05


class SpeakerBook:
    """The embeddings of every training speaker."""

    def __init__(self, examples: Iterable[Example]) -> None:
        grouped: dict[str, list[Float32Array]] = defaultdict(list)
        for example in examples:
            grouped[example.speaker_name].append(example.speaker[:-1])
        self._embeddings = {name: np.stack(rows) for name, rows in grouped.items()}

    def draw(self, example: Example, generator: np.random.Generator) -> Float32Array:
        """A speaker vector (257,) for an example: somebody's who sounds like its speaker.

        Between one utterance and all of the speaker's: references are short and long. The mean
        pitch stays the example's own, for its pitch is told relative to that.
        """
        known = self._embeddings[example.speaker_name]
        picked = known[generator.integers(len(known), size=int(generator.integers(1, 4)))]
        return blurred(picked.mean(axis=0), example.speaker[-1], generator, BLUR)


def blurred(
    embedding: Float32Array, pitch: float, generator: np.random.Generator, amount: float
) -> Float32Array:
    """An embedding (256,) moved a random way and its mean pitch, as a speaker vector (257,)."""
    step = generator.standard_normal(len(embedding)) * (amount / np.sqrt(len(embedding)))
    moved = embedding / np.linalg.norm(embedding) + step
    heard = pitch + generator.normal(0, PITCH_BLUR)
    return np.append(moved / np.linalg.norm(moved), heard).astype(np.float32)
