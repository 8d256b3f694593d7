import re
from itertools import islice

import pytest

from selftalk.models.training.word_lines import FEWEST_WORDS, MOST_WORDS, word_lines
from selftalk.stream.text import phonemize
from selftalk.stream.text.g2p_en import lexicon


def drawn(language, seed=0, count=200, usual=()):
    return list(islice(word_lines(language, seed, usual), count))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_lines_are_reproducible_and_never_end(language):
    assert drawn(language) == drawn(language) != drawn(language, seed=1)
    assert len(set(drawn(language))) == 200


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_line_can_be_spoken(language):
    for line in drawn(language, count=40):
        assert len(phonemize(line, language).symbols) > FEWEST_WORDS


def test_english_words_stand_in_the_dictionary():
    known = lexicon()
    words = [word for line in drawn("en") for word in re.findall("[a-z]+", line.lower())]
    assert all(word in known for word in words)
    # Few words come twice: that is what these lines are for.
    long = [word for word in words if len(word) > 7]
    assert len(set(long)) > 0.9 * len(long)


def test_every_other_word_is_a_usual_one():
    lines = drawn("en", usual=("marmalade",))
    share = sum(line.lower().count("marmalade") for line in lines) / len(lines)
    assert 0.4 * FEWEST_WORDS < share < 0.6 * MOST_WORDS
