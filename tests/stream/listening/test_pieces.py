import numpy as np
import pytest

from selftalk.stream.listening.pieces import split_at_pauses


def noise(seconds, rate=1000):
    return np.random.default_rng(0).normal(size=int(seconds * rate)).astype(np.float32)


@pytest.mark.parametrize("seconds", [0, 0.01, 9.99, 10, 10.01, 47])
def test_pieces_are_short_enough_and_together_the_whole(seconds):
    samples = noise(seconds)
    pieces = split_at_pauses(samples, 1000, 10)
    assert all(0 < len(piece) <= 10_000 for piece in pieces)
    np.testing.assert_array_equal(np.concatenate([*pieces, samples[:0]]), samples)


def test_cuts_in_the_pause():
    samples = noise(14)
    samples[7200:7600] = 0
    first, _ = split_at_pauses(samples, 1000, 10)
    assert 7200 <= len(first) <= 7600
