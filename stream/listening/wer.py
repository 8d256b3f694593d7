"""Word and character error rates, counted as listeners would: by words, not by spelling habits.

Case, punctuation, British or American spelling, the way a number or a title is written, and whether
two words are written as one are no errors. Chinese and Japanese have no spaces, so there every
character counts as a word.
Knows nothing about audio or recognisers.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from selftalk.stream.text import numbers_en, numbers_zh

CHARACTER_LANGUAGES = ("zh", "yue", "ja")
TITLES = {"mr": "mister", "mrs": "missus", "ms": "miss", "dr": "doctor", "st": "saint"}
SAME_WORDS = {"ok": "okay"} | TITLES
SAME_SPELLINGS = tuple(
    (re.compile(british), american)
    for british, american in (
        (
            r"^((?:arm|behavi|cand|clam|col|endeav|fav|flav|glam|harb|hon|hum|lab|neighb|od|parl|"
            r"rig|rum|sav|savi|splend|tum|vap|vig)o)u(r)", r"\1\2",
        ),
        (r"^(.{3,})is(e[ds]?|ers?|ing|ations?)$", r"\1iz\2"),
        (r"^(.{3,})ys(e[ds]?|ing)$", r"\1yz\2"),
        (r"^((?:cent|fib|lit|lust|met|mit|theat)|.*met)re(s?)$", r"\1er\2"),
        (r"^jewellery", "jewelry"),
        (r"^(cancel|jewel|label|marvel|model|quarrel|signal|travel)l", r"\1"),
        (r"^(defen|licen|offen|preten)ce", r"\1se"),
        (r"^(catal|dial|anal|monol)ogue", r"\1og"),
        (r"^gr(e)y", "gray"), (r"^pyj", "paj"), (r"^tyre", "tire"), (r"^plough", "plow"),
        (r"^moustache", "mustache"), (r"^doughnut", "donut"), (r"^(co|ro)sy$", r"\1zy"),
        (r"^sceptic", "skeptic"), (r"^programme(s?)$", r"program\1"), (r"^m(o)uld", r"m\1ld"),
        (r"^(kilo|milli|centi)?gramme", r"\1gram"),
    )
)  # fmt: skip
"""British spellings of words that sound the same, and the American ones."""

_NUMBER = re.compile(r"(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)(?P<ordinal>st|nd|rd|th)?(?![a-z])")
_YEAR = re.compile(r"1[1-9]\d\d|20\d\d")
"""Four digits like these are mostly read as a year."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_CHARACTER = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u9fff]+")


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """How a hypothesis differs from its reference, in words (or characters)."""

    substitutions: int
    deletions: int
    insertions: int
    reference_words: int

    @property
    def errors(self) -> int:
        """All three kinds together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors for each word of the reference; of an empty one, 0 or 1."""
        return (
            self.errors / self.reference_words if self.reference_words else float(self.errors > 0)
        )


def error_rate(reference: str, hypothesis: str, language: str = "en") -> ErrorRate:
    """Compare two texts: the word error rate, or in zh, yue and ja the character error rate."""
    return _align(words_of(reference, language), words_of(hypothesis, language))


def total_error_rate(rates: Iterable[ErrorRate]) -> ErrorRate:
    """The rate over several texts; a long text weighs more than a short one."""
    counts = [(r.substitutions, r.deletions, r.insertions, r.reference_words) for r in rates]
    return ErrorRate(*(sum(column) for column in zip((0, 0, 0, 0), *counts, strict=True)))


def words_of(text: str, language: str = "en") -> list[str]:
    """The words of a text as they are compared: lower case, no punctuation, numbers spoken."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    if language in CHARACTER_LANGUAGES:
        return _CHARACTER.findall(_NUMBER.sub(_chinese_number, plain))
    if language != "en":
        return _WORD.findall(plain)
    spoken = _NUMBER.sub(_english_number, plain).replace("%", " percent ")
    words = _WORD.findall(spoken.replace("-", " "))
    return [_usual_spelling(SAME_WORDS.get(word, word)) for word in words]


@cache
def _usual_spelling(word: str) -> str:
    for british, american in SAME_SPELLINGS:
        word = british.sub(american, word)
    return word


def _english_number(match: re.Match[str]) -> str:
    number = match["number"]
    if match["ordinal"]:
        words = numbers_en.ordinal(int(number.replace(",", "")))
    elif _YEAR.fullmatch(number):
        words = numbers_en.year(int(number))
    else:
        words = numbers_en.decimal(number)
    return f" {' '.join(words)} "


def _chinese_number(match: re.Match[str]) -> str:
    number = match["number"]
    return numbers_zh.digits(number) if _YEAR.fullmatch(number) else numbers_zh.decimal(number)


def _align(reference: Sequence[str], hypothesis: Sequence[str]) -> ErrorRate:
    """Fewest edits (Levenshtein), counting which kinds they are.

    Two words of one side that are one word of the other when written together are no edit.
    """
    # For each prefix of the hypothesis: (edits, substitutions, deletions, insertions).
    rows = [[(n, 0, 0, n) for n in range(len(hypothesis) + 1)]]
    for expected, before in zip(reference, [None, *reference], strict=False):
        above = rows[-1]
        row = [_plus(above[0], deletion=1)]
        for place, word in enumerate(hypothesis):
            ways = [
                above[place] if word == expected else _plus(above[place], substitution=1),
                _plus(above[place + 1], deletion=1),
                _plus(row[place], insertion=1),
            ]
            if before is not None and word == before + expected:
                ways.append(rows[-2][place])
            if place and expected == hypothesis[place - 1] + word:
                ways.append(above[place - 1])
            row.append(min(ways))
        rows.append(row)
    _, substitutions, deletions, insertions = rows[-1][-1]
    return ErrorRate(substitutions, deletions, insertions, len(reference))


def _plus(
    counts: tuple[int, int, int, int], substitution: int = 0, deletion: int = 0, insertion: int = 0
) -> tuple[int, int, int, int]:
    edits, substitutions, deletions, insertions = counts
    return (
        edits + 1,
        substitutions + substitution,
        deletions + deletion,
        insertions + insertion,
    )
