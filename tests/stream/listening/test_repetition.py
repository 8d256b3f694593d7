import pytest

from selftalk.stream.listening.repetition import looping_tokens, without_loops


@pytest.mark.parametrize(
    ("text", "surplus"),
    [
        ("", 0),
        ("one two three", 0),
        ("no no no", 0),
        ("no no no no", 3),
        ("a b a b a b", 0),
        ("so a b a b a b a b", 6),
        ("it was the age it was the age", 0),
        ("it was the age it was the age it was the age", 8),
        ("it was the age of wisdom it was the age of foolishness it was the epoch of belief", 0),
    ],
)
def test_looping_tokens(text, surplus):
    assert looping_tokens(text.split()) == surplus


@pytest.mark.parametrize("rounds", range(4, 12))
def test_without_loops_keeps_the_first_round_and_what_follows(rounds):
    text = "well " + "the first is " * rounds + "done"
    assert " ".join(without_loops(text.split())) == "well the first is done"


def test_without_loops_leaves_speech_alone():
    words = "we were all going direct to heaven we were all going direct the other way".split()
    assert without_loops(words) == words
