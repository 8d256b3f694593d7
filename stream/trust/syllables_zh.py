"""Chinese as it sounds: syllables without tones, and how unlike two of them are.

Recognisers hear a syllable rightly and write another character for it, so what was said is compared
by sound. Syllables that many speakers do not tell apart (z and zh, in and ing) count as near. Knows
nothing about what is to be said.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from selftalk.stream.text import g2p_zh
from selftalk.stream.text.numbers_zh import digits
from selftalk.stream.text.traditional_zh import simplified

OTHER, NEAR, NASAL = 0.5, 0.25, 0.125
"""What another initial or final costs; one of a kind; an n for an ng."""
MISSING = 0.75
"""What a syllable too many or too few costs."""

_SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.*)")
_ALIKE = ("z zh j", "c ch q", "s sh x", "n l r", "h f", "b p", "d t", "g k", "j q x")
_CHINESE = re.compile(r"([\u3400-\u9fff]+)|([^\W_])")


def syllables(text: str) -> list[str]:
    """The syllables of a text; digits as they are read, and letters for themselves."""
    plain = simplified(unicodedata.normalize("NFKC", text)).casefold()
    plain = re.sub(r"[0-9]+", lambda number: digits(number.group()), plain)
    found: list[str] = []
    for characters, letter in _CHINESE.findall(plain):
        found += [one[:-1] for one in g2p_zh.read(characters)] if characters else [letter]
    return found


@cache
def unlikeness(first: str, second: str) -> float:
    """Of two syllables: 0 for the same, 1 for nothing in common."""
    if first == second:
        return 0.0
    (initial, final), (other_initial, other_final) = _parts(first), _parts(second)
    return _of_initials(initial, other_initial) + _of_finals(final, other_final)


def difference(heard: Sequence[str], expected: Sequence[str], *, at_end: bool = False) -> float:
    """The least that turns what was expected into what was heard, in syllables.

    Args:
        heard: syllables, (N,).
        expected: syllables, (M,).
        at_end: whether it is enough that what was heard ends in this.
    """
    row = [0.0 if at_end else MISSING * place for place in range(len(heard) + 1)]
    for wanted in expected:
        above, row[0] = row[0], row[0] + MISSING
        for column, said in enumerate(heard, start=1):
            skipped = min(row[column], row[column - 1]) + MISSING
            change = min(above + unlikeness(said, wanted), skipped)
            above, row[column] = row[column], change
    return row[-1]


def _parts(syllable: str) -> tuple[str, str]:
    match = _SYLLABLE.fullmatch(syllable)
    return (match[1], match[2]) if match else ("", syllable)


def _of_initials(first: str, second: str) -> float:
    if first == second:
        return 0.0
    alike = any({first, second} <= set(group.split()) for group in _ALIKE)
    return NEAR if alike else OTHER


def _of_finals(first: str, second: str) -> float:
    if first == second:
        return 0.0
    return NASAL if first.removesuffix("g") == second.removesuffix("g") else OTHER
