import pytest

from selftalk.stream.listening.wer import ErrorRate, error_rate, total_error_rate, words_of


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("a b c", "a b c", (0, 0, 0)),
        ("a b c", "a x c", (1, 0, 0)),
        ("a b c", "a c", (0, 1, 0)),
        ("a b c", "a b x c", (0, 0, 1)),
        ("a b c", "", (0, 3, 0)),
        ("", "a", (0, 0, 1)),
        ("a b c d", "b c d e", (0, 1, 1)),
    ],
)
def test_counts_of_the_three_kinds(reference, hypothesis, expected):
    rate = error_rate(reference, hypothesis)
    assert (rate.substitutions, rate.deletions, rate.insertions) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mister Dashwood, had THEN?", "mr. dashwood had then"),
        ("It’s an ill-disposed man", "it's an ill disposed man"),
        ("I have 42 cats", "i have forty-two cats"),
        ("in 1984, on the 3rd", "In nineteen eighty-four on the third"),
        ("that is 1,024.5", "that is one thousand twenty four point five"),
        ("OK, my favourite colour", "okay my favorite color"),
        ("Neighbours apologised in grey pyjamas", "neighbors apologized in gray pajamas"),
        ("two metres from the theatre's centre", "two meters from the theatre's center"),
        ("He analyses jewellery and travelled", "he analyzes jewelry and traveled"),
        ("never mind the door mat", "nevermind the doormat"),
        ("75% of them", "seventy-five percent of them"),
        ("thirty per cent", "30 %"),
    ],
)
def test_ways_of_writing_are_no_errors(one, other):
    assert error_rate(one, other).errors == 0
    assert error_rate(other, one).errors == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("four hours", "for hours"), ("our hour", "or hour"), ("metre", "met"), ("wise", "wide")],
)
def test_other_words_stay_errors(one, other):
    assert error_rate(one, other).errors == 1


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors"),
    [
        ("door mat", "doormat mat", 1),
        ("doormat", "door", 1),
        ("the door mat", "doormat", 1),
        ("a b c d", "ab cd", 0),
        ("a b c d", "abc d", 3),
    ],
)
def test_only_two_words_may_be_written_as_one(reference, hypothesis, errors):
    assert error_rate(reference, hypothesis).errors == errors
    assert error_rate(hypothesis, reference).errors == errors


def test_chinese_and_japanese_count_characters():
    assert words_of("我有300块，OK吗？", "zh") == ["我", "有", "三", "百", "块", "ok", "吗"]
    assert error_rate("今天天气很好。", "今天天汽很好", "zh").rate == pytest.approx(1 / 6)
    assert error_rate("これはテストです", "これはテスト です。", "ja").errors == 0


def test_other_languages_keep_their_letters():
    assert words_of("Où est l'été ? 3 fois", "fr") == ["où", "est", "l'été", "3", "fois"]


def test_a_long_text_weighs_more():
    total = total_error_rate([error_rate("a b c d", "a b c d"), error_rate("a", "x")])
    assert total == ErrorRate(1, 0, 0, 5)
    assert total.rate == pytest.approx(0.2)
    assert total_error_rate([]).rate == 0
    assert error_rate("", "word").rate == 1
