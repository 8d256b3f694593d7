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
    for unit in range(1, min(LONGEST_UNIT, len(tokens) // REPEATS_OF_PHRASE) + 1):
        repeats = _repeats_at_end(tokens, unit)
        needed = REPEATS_OF_PHRASE if unit >= PHRASE_TOKENS else REPEATS
        if repeats >= needed:
            return (repeats - 1) * unit
    return 0


def without_loops(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with every loop cut down to its first round."""
    kept: list[Token] = []
    for token in tokens:
        kept.append(token)
        surplus = looping_tokens(kept)
        if surplus:
            del kept[-surplus:]
    return kept


def _repeats_at_end(tokens: Sequence[Hashable], unit: int) -> int:
    last = tokens[-unit:]
    repeats, end = 1, len(tokens) - unit
    while end >= unit and tokens[end - unit : end] == last:
        repeats, end = repeats + 1, end - unit
    return repeats
