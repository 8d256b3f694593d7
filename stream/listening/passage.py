"""Passage: which part of a written text somebody said, told by what a recogniser heard.

The words that are heard are laid over the text where that takes the fewest changes (Sellers 1980);
the text's own spelling is kept. Knows nothing about sound.
"""

import re

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u9fff]+(?:['’]\w+)*")
_MARKS_AFTER = re.compile(r"[^\w\s]*")
MOST_CHANGES = 0.5
"""For each word that was heard; with more it is no passage of this text."""


def passage_of(text: str, heard: str) -> str:
    """The part of a text that was heard, with the marks after it; nothing if it was not."""
    written, words = list(_WORD.finditer(text)), [word.lower() for word in _WORD.findall(heard)]
    if not written or not words:
        return ""
    start, stop, changes = _nearest([match.group().lower() for match in written], words)
    if changes > MOST_CHANGES * len(words) or start == stop:
        return ""
    end = written[stop - 1].end()
    marks = _MARKS_AFTER.match(text, end)
    return text[written[start].start() : marks.end() if marks else end]


def _nearest(text: list[str], words: list[str]) -> tuple[int, int, int]:
    """Where in a text (start, stop) words stand with the fewest changes, and how many these are."""
    # For each place in the text: changes so far, and where the passage began.
    row = [(0, place) for place in range(len(text) + 1)]
    for count, word in enumerate(words, start=1):
        before, row = row, [(count, 0)]
        for place, written in enumerate(text, start=1):
            same, missing, added = before[place - 1], before[place], row[place - 1]
            row.append(
                min(
                    (same[0] + (word != written), same[1]),
                    (missing[0] + 1, missing[1]),
                    (added[0] + 1, added[1]),
                )
            )
    # A last word that was misheard counts like one too many: rather misheard.
    stop = min(range(len(row)), key=lambda place: (row[place][0], -place))
    return row[stop][1], stop, row[stop][0]
