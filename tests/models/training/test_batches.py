import numpy as np
import pytest

from selftalk.models.training.batches import Batches
from selftalk.stream.errors import ConfigError


def test_an_epoch_has_every_item_once():
    batches = Batches(range(37), 5)
    for epoch in range(2):
        seen = [batches.at(epoch * batches.per_epoch + step) for step in range(batches.per_epoch)]
        assert sorted(np.concatenate(seen)) == list(range(37))


def test_a_step_has_the_same_items_whenever_it_is_asked():
    lengths = np.random.default_rng(0).integers(1, 99, 50)
    first, second = Batches(lengths, 4), Batches(lengths, 4)
    for step in (30, 2, 17):
        assert np.array_equal(first.at(step), second.at(step))
    assert not np.array_equal(first.at(0), first.at(first.per_epoch))


def test_a_batch_has_items_of_like_length():
    lengths = np.random.default_rng(0).permutation(400)
    batches = Batches(lengths, 4)
    spread = [np.ptp(lengths[batches.at(step)]) for step in range(batches.per_epoch)]
    assert np.mean(spread) < 60  # of random items: 240


def test_a_small_set_is_repeated():
    assert Batches([3, 4, 5], 3, fewest_items=100).per_epoch == 34


def test_nothing_to_train_on_is_said():
    with pytest.raises(ConfigError, match="nothing to train on"):
        Batches([], 4)
