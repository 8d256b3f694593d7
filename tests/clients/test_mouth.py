import itertools

import pytest

from selftalk.clients.mouth import MouthTimeline, Phone, guessed_phones
from selftalk.clients.visemes import CLOSED

MAP = [Phone("M", 0, 60), Phone("AE1", 60, 200), Phone("P", 200, 260)]


def timeline(*phones):
    mouth = MouthTimeline()
    mouth.push(phones)
    return mouth


def test_the_mouth_opens_in_the_vowel_and_closes_at_the_end():
    mouth = timeline(*MAP)
    assert mouth.at(130).openness > 0.5
    assert mouth.at(130).openness > 4 * mouth.at(230).openness
    assert mouth.at(400) == CLOSED == mouth.at(-100)


def test_short_lip_closures_between_vowels_are_seen():
    mouth = timeline(Phone("AA1", 0, 150), Phone("B", 150, 200), Phone("AA1", 200, 350))
    assert mouth.at(175).openness < 0.25
    assert mouth.at(75).openness == pytest.approx(1)


def test_the_mouth_never_jumps():
    mouth = timeline(*MAP, Phone("OW1", 260, 400))
    shown = [mouth.at(ms) for ms in range(-50, 500)]
    steps = [abs(a - b) for x, y in itertools.pairwise(shown) for a, b in zip(x, y, strict=True)]
    assert max(steps) < 0.1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_chunked_equals_whole(size):
    phones = [*MAP, Phone("cl", 260, 300), Phone("ai3", 300, 420)]
    whole, chunked = timeline(*phones), MouthTimeline()
    for place in range(0, len(phones), size):
        chunked.push(phones[place : place + size])
    assert [whole.at(ms) for ms in range(0, 500, 7)] == [chunked.at(ms) for ms in range(0, 500, 7)]


def test_a_symbol_without_a_mouth_keeps_the_one_before():
    held = timeline(Phone("a", 0, 100), Phone("cl", 100, 200))
    assert held.at(150) == held.at(50)


def test_a_long_stream_forgets_what_is_long_over():
    mouth = MouthTimeline()
    for place in range(10_000):
        mouth.push([Phone("a", place, place + 1)])
    assert mouth.at(9_900).a == pytest.approx(1)
    assert mouth.at(100) == CLOSED


def test_a_word_without_phonemes_still_moves_the_mouth():
    guessed = guessed_phones("Hello", 100, 300)
    assert [phone.symbol for phone in guessed] == ["t", "e", "t", "o"]
    assert guessed[0].start_ms == 100
    assert guessed[-1].end_ms == 300
    assert timeline(*guessed_phones("你", 0, 200)).at(130).openness > 0.5
