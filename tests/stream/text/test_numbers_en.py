import pytest

from selftalk.stream.text import numbers_en as numbers


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (21, "twenty one"),
        (100, "one hundred"),
        (1024, "one thousand twenty four"),
        (1_000_001, "one million one"),
        (-7, "minus seven"),
        (12_345_678_901, "twelve billion three hundred forty five million six hundred seventy "
         "eight thousand nine hundred one"),
    ],
)  # fmt: skip
def test_cardinal(number, words):
    assert " ".join(numbers.cardinal(number)) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "first"),
        (12, "twelfth"),
        (20, "twentieth"),
        (22, "twenty second"),
        (100, "one hundredth"),
    ],
)
def test_ordinal(number, words):
    assert " ".join(numbers.ordinal(number)) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1999, "nineteen ninety nine"),
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (2000, "two thousand"),
        (2005, "two thousand five"),
        (2024, "twenty twenty four"),
        (987, "nine hundred eighty seven"),
    ],
)
def test_year(number, words):
    assert " ".join(numbers.year(number)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.14", "three point one four"),
        ("-1,024", "minus one thousand twenty four"),
        (".5", "zero point five"),
    ],
)
def test_decimal(text, words):
    assert " ".join(numbers.decimal(text)) == words


def test_what_is_too_large_to_count_is_said_digit_by_digit():
    assert numbers.cardinal(10**21) == ["one"] + ["zero"] * 21


@pytest.mark.parametrize(("text", "number"), [("IV", 4), ("XIV", 14), ("XLII", 42), ("IIII", None)])
def test_roman(text, number):
    assert numbers.roman(text) == number


def test_plural():
    assert [numbers.plural(word) for word in ("sixty", "six", "ten")] == [
        "sixties",
        "sixes",
        "tens",
    ]
