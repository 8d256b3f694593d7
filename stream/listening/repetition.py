"""Loops: a speech recogniser that lost the thread says the same few tokens again and again.

Knows nothing about what the tokens mean.
"""

from collections.abc import Hashable, Sequence
from typing import TypeVar

Token = TypeVar("Token", bound=Hashable)

LONGEST_UNIT = 16
REPEATS = 4
"""So often in a row is a loop; people do say "no, no, no"."""
REPEATS_OF_PHRASE = 3
PHRASE_TOKENS = 4
"""A unit of so many tokens is a phrase, and a phrase said three times in a row is a loop."""


def looping_tokens(tokens: Sequence[Hashable]) -> int:
    """How many tokens at the end only repeat what stands before them; 0 when it is no loop."""
    unit = _unit_of(tokens)
    return (_repeats_at_end(tokens, unit) - 1) * unit if unit else 0


def without_loops(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with every loop cut down to its first round."""
    kept: list[Token] = []
    place = 0
    while place < len(tokens):
        kept.append(tokens[place])
        place += 1
        surplus = looping_tokens(kept)
        if surplus:
            unit = kept[len(kept) - _unit_of(kept) :]
            del kept[-surplus:]
            while list(tokens[place : place + len(unit)]) == unit:  # the rounds that follow
                place += len(unit)
    return kept


def _unit_of(tokens: Sequence[Hashable]) -> int:
    """How many tokens the loop at the end repeats; 0 when there is no loop."""
    for unit in range(1, min(LONGEST_UNIT, len(tokens) // REPEATS_OF_PHRASE) + 1):
        needed = REPEATS_OF_PHRASE if unit >= PHRASE_TOKENS else REPEATS
        if _repeats_at_end(tokens, unit) >= needed:
            return unit
    return 0


def _repeats_at_end(tokens: Sequence[Hashable], unit: int) -> int:
    last = tokens[-unit:]
    repeats, end = 1, len(tokens) - unit
    while end >= unit and tokens[end - unit : end] == last:
        repeats, end = repeats + 1, end - unit
    return repeats
