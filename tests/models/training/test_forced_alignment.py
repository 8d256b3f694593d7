import numpy as np
import pytest

from selftalk.models.training.forced_alignment import align_text, units_of

SYMBOLS = np.array([0, 3, 1, 3, 0])
FRAMES = np.array([4, 2, 9, 1, 5])


def heard(frames=FRAMES, symbols=SYMBOLS, noise=0.0, classes=6):
    """What a network says that hears every symbol where it is."""
    said = np.repeat(symbols, frames)
    logits = np.full((len(said), classes), -3.0)
    logits[np.arange(len(said)), said] = 0
    logits += noise * np.random.default_rng(0).standard_normal(logits.shape)
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_symbols_are_found_where_they_are(noise):
    found = align_text(heard(noise=noise), SYMBOLS)
    assert np.abs(np.cumsum(found.frames) - np.cumsum(FRAMES)).max() <= 1


def test_every_symbol_has_a_frame_and_none_is_left_over():
    random = np.random.default_rng(1).standard_normal((40, 6)).astype(np.float32)
    found = align_text(random, np.array([0, 1, 2, 3, 4, 5, 4, 3]))
    assert found.frames.sum() == 40
    assert found.frames.min() >= 1


def test_one_wrong_frame_moves_nothing():
    probabilities = heard()
    probabilities[8] = -20.0
    probabilities[8, 5] = 0.0
    assert np.array_equal(align_text(probabilities, SYMBOLS).frames, FRAMES)


def test_another_text_is_less_likely():
    right = align_text(heard(), SYMBOLS).mean_log_probability
    wrong = align_text(heard(), np.array([0, 2, 4, 5, 0])).mean_log_probability
    assert wrong < right - 1


def test_too_few_frames():
    assert align_text(heard()[:3], SYMBOLS) is None


def test_units_add_up():
    units = units_of(np.array([3, 4, 1, 1, 1, 90]))
    assert units.sum() == 40
    assert np.array_equal(np.cumsum(units), [1, 3, 3, 4, 4, 40])
