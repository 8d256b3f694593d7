import numpy as np
import pytest

from selftalk.export.identity import REFERENCE_SECONDS, compare, identify
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.evaluation.systems import Spoken
from selftalk.stream.sound.audio import AudioChunk

RATE_HZ = 1000
LEVELS = {"low": 0.1, "middle": 0.5, "high": 0.9}


class Hums:
    """Each voice hums its own level, and says how long it was asked to hum."""

    name = "hums"
    voices = ("low", "middle", "high")

    def say(self, sentence, voice):
        samples = np.full(len(sentence.text) * RATE_HZ, LEVELS[voice], np.float32)
        return Spoken(AudioChunk(samples, RATE_HZ), 0.0, 0.0)


def embed(chunk):
    angle = float(chunk.samples.mean()) * np.pi / 2
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def test_perfect_clones_are_all_recognized():
    heard = []

    def clone(recording, sentence):
        heard.append(recording)
        return AudioChunk(recording.samples, RATE_HZ)

    identity = identify(
        Hums(), [Sentence(text, "en") for text in ("four", "five!", "x")], clone, embed
    )
    assert identity.recognized == 1
    assert identity.own_similarity == pytest.approx(1)
    assert identity.other_similarity < 0.9
    assert {len(recording) for recording in heard} == {int(REFERENCE_SECONDS * RATE_HZ)}


def test_clones_that_all_sound_alike_are_not():
    references = np.eye(3)
    clones = np.tile(references[1], (3, 1))
    assert compare(clones, references).recognized == pytest.approx(1 / 3)
