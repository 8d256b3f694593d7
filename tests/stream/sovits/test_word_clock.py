import itertools

import numpy as np
import pytest

from selftalk.stream.sovits.word_clock import WordClock, phone_ends
from selftalk.stream.text.phonemes import Phonemes

PHONEMES = Phonemes(
    symbols=("a", "b", "c", ".", "d"), word_index=(0, 0, 1, -1, 2), words=("ab", "c", "d"),
    language="en",
)  # fmt: skip
LENGTHS = (4, 3, 5, 2, 6)
ENDS = np.cumsum(LENGTHS)


def looking_at(lengths=LENGTHS, sharpness=0.9):
    """Each frame looks mostly at its own phone."""
    phone = np.repeat(np.arange(len(lengths)), lengths)
    looks = np.full((len(phone), len(lengths)), (1 - sharpness) / (len(lengths) - 1))
    looks[np.arange(len(phone)), phone] = sharpness
    return looks.astype(np.float32)


def test_ends_of_phones():
    np.testing.assert_array_equal(phone_ends(looking_at(), True), ENDS)


def test_what_was_not_reached_has_not_ended():
    np.testing.assert_array_equal(phone_ends(looking_at()[:9], False), [4, 7, 9, 9, 9])


def test_a_glance_back_does_not_turn_time_round():
    looks = looking_at()
    looks[9] = looks[1]
    ends = phone_ends(looks, True)
    assert (np.diff(ends) >= 0).all()


def test_more_phones_than_frames():
    ends = phone_ends(np.full((3, 7), 1 / 7, np.float32), True)
    assert ends[-1] == 3
    assert (np.diff(ends) >= 0).all()


@pytest.mark.parametrize("cuts", [(20,), (3, 8, 12, 13, 20), range(1, 21)])
def test_each_word_comes_once_in_order_and_in_time(cuts):
    clock, words, heard = WordClock(PHONEMES, 0, 10.0), [], 0
    for cut in cuts:
        said = clock.take(looking_at()[:cut], 10 * cut, over=cut == 20)
        for word in said:
            assert word.end_samples <= 10 * cut
            assert word.end_samples > heard
        words += said
        heard = 10 * cut
    assert [word.text for word in words] == ["ab", "c", "d"]
    assert all(a.end_samples <= b.start_samples for a, b in itertools.pairwise(words))
    if len(cuts) == 1:
        assert [(word.start_samples, word.end_samples) for word in words] == [
            (0, 70),
            (70, 120),
            (140, 200),
        ]


def test_phones_in_front_are_nobodys():
    looks = np.concatenate([np.zeros((20, 1), np.float32), looking_at()], axis=1)
    looks = np.concatenate([np.eye(6, dtype=np.float32)[[0] * 5], looks])
    (first, *_) = WordClock(PHONEMES, 1, 10.0).take(looks, 250, over=True)
    assert (first.start_samples, first.end_samples) == (50, 120)
    assert [phone.symbol for phone in first.phones] == ["a", "b"]


def test_nothing_was_heard_and_all_is_over():
    words = WordClock(PHONEMES, 0, 10.0).take(np.zeros((0, 5), np.float32), 0, over=True)
    assert [word.text for word in words] == ["ab", "c", "d"]
