"""Numbers as English words: cardinals, ordinals, years, decimals, single digits.

Knows nothing about text around the number.
"""

import re

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
_LARGEST = 1000 ** len(_SCALES)
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def _below_thousand(number: int) -> list[str]:
    words: list[str] = []
    if number >= 100:
        words += [_ONES[number // 100], "hundred"]
        number %= 100
    if number >= 20:
        words.append(_TENS[number // 10])
        number %= 10
        return [*words, _ONES[number]] if number else words
    return [*words, _ONES[number]] if number or not words else words


def cardinal(number: int) -> list[str]:
    """``1024`` → one thousand twenty four."""
    if number == 0:
        return ["zero"]
    if abs(number) >= _LARGEST:
        return ["minus"] * (number < 0) + digits(str(abs(number)))
    words: list[str] = []
    rest = abs(number)
    for scale in _SCALES:
        rest, group = divmod(rest, 1000)
        if group:
            words = [*_below_thousand(group), *([scale] if scale else []), *words]
    return ["minus", *words] if number < 0 else words


def ordinal(number: int) -> list[str]:
    """``21`` → twenty first."""
    *head, last = cardinal(number)
    if last in _IRREGULAR_ORDINALS:
        return [*head, _IRREGULAR_ORDINALS[last]]
    return [*head, last[:-1] + "ieth" if last.endswith("y") else last + "th"]


def year(number: int) -> list[str]:
    """``1999`` → nineteen ninety nine; ``2005`` → two thousand five."""
    century, rest = divmod(number, 100)
    if not 1100 <= number <= 9999 or number % 1000 < 10:
        return cardinal(number)
    if rest == 0:
        return [*cardinal(century), "hundred"]
    if rest < 10:
        return [*cardinal(century), "oh", _ONES[rest]]
    return [*cardinal(century), *cardinal(rest)]


def digits(text: str) -> list[str]:
    """Digit by digit; anything else is skipped."""
    return [_ONES[int(char)] for char in text if char in "0123456789"]


def decimal(text: str) -> list[str]:
    """``-3.14``, ``1,024`` or ``.5`` in words."""
    negative = text.startswith(("-", "−"))
    whole, _, fraction = text.lstrip("-−+").replace(",", "").partition(".")
    words = cardinal(int(whole)) if whole else ["zero"]
    if fraction:
        words = [*words, "point", *digits(fraction)]
    return ["minus", *words] if negative else words


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}


def roman(text: str) -> int | None:
    """``XIV`` → 14, up to 89; None if it is no Roman numeral."""
    if not re.fullmatch(r"(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})", text):
        return None
    values = [_ROMAN[char] for char in text]
    return sum(
        -value if value < max(values[index:]) else value for index, value in enumerate(values)
    )


def plural(word: str) -> str:
    """The plural of a number word: ``sixty`` → sixties."""
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith("x") else "s")
