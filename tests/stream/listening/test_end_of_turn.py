from pathlib import Path

import numpy as np
import pytest

from selftalk.stream.fetching.weights import resolve
from selftalk.stream.listening.end_of_turn import (
    HEARD_SAMPLES,
    SmartTurn,
    _last_seconds,
    _normalised,
)
from selftalk.stream.sound.audio import AudioChunk, read_audio

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("samples", [0, 16_000, 200_000])
def test_loudness_does_not_matter(samples):
    speech = np.random.default_rng(0).normal(size=samples).astype(np.float32)
    loud, quiet = (_normalised(_last_seconds(speech * gain)) for gain in (1.0, 0.1))
    assert loud.shape == (HEARD_SAMPLES,)
    np.testing.assert_allclose(loud, quiet, atol=1e-3)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "end_samples", "ended"),
    [
        ("configs/recordings/go_somewhere.flac", 37_000, True),
        ("tests/data/go_forward.flac", 37_800, True),
        ("tests/data/not_ill_disposed.flac", 46_000, False),
        ("configs/recordings/go_somewhere.flac", 26_000, False),
    ],
)
def test_a_whole_sentence_is_told_from_a_broken_one(name, end_samples, ended):
    recording = read_audio(ROOT / name)
    speech = AudioChunk(recording.samples[:end_samples], 16_000)
    probability = SmartTurn(resolve("smart-turn-v3.2")).probability(speech)
    assert (probability > 0.5) == ended, probability
