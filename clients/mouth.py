"""MouthTimeline: phonemes and their times → the mouth at any moment.

A mouth does not jump: it is on its way to the next sound while it still makes this one. So the
mouth is an average over a window around the moment, in which firm visemes outweigh loose ones
(Cohen and Massaro's idea of dominance, with a window in place of their exponentials). Knows
nothing about clocks: a moment is a number of milliseconds.
"""

import bisect
from collections.abc import Iterable
from typing import NamedTuple

from selftalk.clients.visemes import CLOSED, Mouth, Viseme, VisemeTable, viseme_table

WINDOW_MS = 70.0
LEAD_MS = 40.0
"""Lips are seen to move before they are heard."""
_VOWELS = {"a": "a", "e": "e", "i": "i", "o": "o", "u": "u", "y": "i"}
_LONGEST_PHONES = 4000
_REST_FIRMNESS = 0.6  # of the silence between words, as of the viseme "rest"


class Phone(NamedTuple):
    """A phoneme and when it is heard."""

    symbol: str
    start_ms: float
    end_ms: float


class _Span(NamedTuple):
    start_ms: float
    end_ms: float
    viseme: Viseme


class MouthTimeline:
    """The mouth of one piece of speech, which may still be growing."""

    def __init__(self, table: VisemeTable | None = None) -> None:
        self._table = table or viseme_table()
        self._spans: list[_Span] = []
        self._ends: list[float] = []

    def push(self, phones: Iterable[Phone]) -> None:
        """Phones that follow those before, in order."""
        for symbol, start, end in phones:
            visemes = self._table.visemes(symbol)
            if not visemes:
                self._stretch(start, end)
            share = (end - start) / max(1, len(visemes))
            for place, viseme in enumerate(visemes):
                self._add(_Span(start + place * share, start + (place + 1) * share, viseme))

    def at(self, milliseconds: float) -> Mouth:
        """The mouth at a moment."""
        begin, end = milliseconds - WINDOW_MS / 2, milliseconds + WINDOW_MS / 2
        covered = 0.0
        weight_sum = 0.0
        sums = [0.0] * len(CLOSED)
        for span in self._spans[bisect.bisect_right(self._ends, begin) :]:
            if span.start_ms >= end:
                break
            overlap = min(end, span.end_ms) - max(begin, span.start_ms)
            covered += overlap
            weight = overlap * span.viseme.firmness
            weight_sum += weight
            for place, part in enumerate(span.viseme.mouth):
                sums[place] += weight * part
        weight_sum += max(0.0, WINDOW_MS - covered) * _REST_FIRMNESS
        return Mouth(*(total / weight_sum for total in sums))

    def _add(self, span: _Span) -> None:
        self._spans.append(span)
        self._ends.append(span.end_ms)
        if len(self._spans) > _LONGEST_PHONES:  # what was said long ago is not seen again
            del self._spans[: _LONGEST_PHONES // 2], self._ends[: _LONGEST_PHONES // 2]

    def _stretch(self, start: float, end: float) -> None:
        """A symbol without a mouth of its own keeps the one before."""
        if self._spans and self._spans[-1].end_ms == start:
            self._spans[-1] = self._spans[-1]._replace(end_ms=end)
            self._ends[-1] = end


def guessed_phones(word: str, start_ms: float, end_ms: float) -> list[Phone]:
    """Phones of a word whose phonemes are not told: its vowels' letters, closed in between.

    Args:
        word: in any writing; without Latin vowels it becomes one open mouth.
        start_ms: when it begins.
        end_ms: when it ends.
    """
    vowels = [_VOWELS[letter] for letter in word.lower() if letter in _VOWELS] or ["a"]
    share = (end_ms - start_ms) / len(vowels)
    phones: list[Phone] = []
    for place, vowel in enumerate(vowels):
        begin = start_ms + place * share
        middle = begin + 0.3 * share
        phones += [Phone("t", begin, middle), Phone(vowel, middle, begin + share)]
    return phones
