import numpy as np
import pytest

from selftalk.models.training.speakers import SpeakerBook, blurred
from selftalk.models.training.vocoder_task import misread


class FakeExample:
    def __init__(self, name, vector):
        self.speaker_name, self.speaker = name, vector


def unit(*values):
    vector = np.zeros(257, np.float32)
    vector[: len(values)] = values
    vector[:-1] /= np.linalg.norm(vector[:-1])
    vector[-1] = 0.5
    return vector


def test_a_speaker_is_drawn_from_the_speakers_own_utterances():
    book = SpeakerBook(
        [
            FakeExample("a", unit(1, 0.1)),
            FakeExample("a", unit(1, -0.1)),
            FakeExample("b", unit(0, 0, 1)),
        ]
    )
    generator = np.random.default_rng(0)
    drawn = np.stack([book.draw(FakeExample("a", unit(1)), generator) for _ in range(50)])
    assert np.allclose(np.linalg.norm(drawn[:, :-1], axis=1), 1, atol=1e-5)
    assert (drawn[:, :-1] @ unit(1)[:-1] > 0.9).all()
    assert len(np.unique(drawn[:, 0])) > 40  # never the same twice
    assert abs(drawn[:, -1].mean() - 0.5) < 0.05


def test_blur_moves_an_embedding_by_its_amount():
    generator = np.random.default_rng(1)
    moved = blurred(unit(1)[:-1], 0.0, generator, 0.3)
    assert moved[0] == pytest.approx(1 / np.sqrt(1.09), abs=0.05)


def test_misread_tokens_stay_tokens_and_are_near():
    levels = (8, 5, 5, 5)
    generator = np.random.default_rng(2)
    tokens = generator.integers(0, 1000, 200)
    changed = 0
    for _ in range(20):
        read = misread(tokens, levels, generator)
        assert read.shape == tokens.shape
        assert ((read >= 0) & (read < 1000)).all()
        places = np.cumprod([1, *levels[:-1]])
        steps = read[:, None] // places % levels - tokens[:, None] // places % levels
        assert np.abs(steps).max() <= 1
        changed += (read != tokens).any()
    assert 3 < changed < 17
