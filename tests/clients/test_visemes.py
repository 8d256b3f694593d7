import pytest

from selftalk.clients.visemes import CLOSED, Mouth, viseme_table
from selftalk.stream.text.symbols import SYMBOLS_V2

TABLE = viseme_table()


def mouths(symbol):
    return [viseme.mouth for viseme in TABLE.visemes(symbol)]


def test_every_symbol_of_the_voice_models_has_a_mouth():
    assert [symbol for symbol in SYMBOLS_V2 if not TABLE.knows(symbol)] == []


def test_an_unknown_symbol_is_none():
    assert not TABLE.knows("Yzzz1")
    assert TABLE.visemes("nonsense") == ()


@pytest.mark.parametrize("symbol", ["P", "B", "M", "b", "p", "m", "ㅁ", "ㅂ", "ㅍ", "Yb", "Ym"])
def test_lips_meet(symbol):
    assert mouths(symbol) == [CLOSED]


@pytest.mark.parametrize(
    ("symbol", "vowel"),
    [
        ("AA1", "a"), ("IY0", "i"), ("UW2", "u"), ("EH1", "e"), ("AO1", "o"),
        ("a4", "a"), ("i3", "i"), ("u1", "u"), ("o2", "o"),
        ("a", "a"), ("i", "i"), ("u", "u"), ("e", "e"), ("o", "o"), ("I", "i"), ("U", "u"),
        ("ㅏ", "a"), ("ㅣ", "i"), ("ㅜ", "u"), ("ㅔ", "e"), ("ㅗ", "o"),
        ("Yaa1", "a"), ("Yi4", "i"), ("Yu2", "u"), ("Ye1", "e"), ("Yo6", "o"),
    ],
)  # fmt: skip
def test_vowels_of_five_languages(symbol, vowel):
    (mouth,) = mouths(symbol)
    assert max(mouth._asdict(), key=mouth._asdict().get) == vowel


def test_the_same_letter_is_another_sound_with_a_tone():
    assert mouths("e") != mouths("e4")  # Japanese «え», Chinese «饿»
    assert mouths("v") != mouths("v3")  # a «v», «女»
    assert mouths("i01") != mouths("i1")  # «资», «鸡»


def test_diphthongs_move():
    assert mouths("AY1") == [*mouths("AA1"), *mouths("IY1")]
    assert len(mouths("iang4")) == 3
    assert mouths("Yaau1") == [*mouths("Yaa1"), *mouths("Yu1")]


def test_openness_and_width_are_what_one_sees():
    opened, spread, rounded = Mouth(a=1), Mouth(i=1), Mouth(u=1)
    assert opened.openness > spread.openness > CLOSED.openness == 0
    assert spread.width > CLOSED.width == 0.5 > rounded.width
    everything = Mouth(1, 1, 1, 1, 1)
    assert everything.openness == 1
    assert 0 <= everything.width <= 1
