"""StyleDirections: takes the styles that a mind asks for out of its reply, "[lively] Hello!".

    "It is late. [tired] Good night."  →  "It is late. ", then in the style tired "Good night."

A style stands in square brackets where a sentence begins, and holds until another one comes. One
word in brackets that is no style is dropped there too: it was not meant to be said. All else stays,
as other stage directions do, which `Speakable` knows. Knows nothing about voices.

It takes one character at a time, so the result never depends on how the text was cut.
"""

from typing import NamedTuple

from selftalk.stream.dialogue.sentences import CLOSERS, SENTENCE_ENDS
from selftalk.stream.synthesis.styles import STYLES, Style

LONGEST_WORD = 16
_BRACKETS = {"[": "]", "【": "】"}
_LINK = "("  # what follows the brackets of a link's label


class Directed(NamedTuple):
    """The next text of a reply, and the style that begins with it, if one does."""

    text: str
    style: Style | None = None


class StyleDirections:
    """Reads the deltas of one reply."""

    def __init__(self) -> None:
        self._waiting = ""  # from an opening bracket on
        self._before = "\n"  # the last character that is no space, or the end of a line
        self._swallow_space = False

    def push(self, delta: str) -> list[Directed]:
        """Add written text; return what is understood of it so far, in order."""
        read = [Directed("")]
        for character in delta:
            self._read(character, read)
        return [part for part in read if part.text or part.style]

    def flush(self) -> list[Directed]:
        """Return what was held back at the end of the reply."""
        read = [Directed("")]
        if self._is_closed:
            self._end_direction(read)
        self._give(self._waiting, read)
        self._waiting = ""
        return [part for part in read if part.text or part.style]

    @property
    def _is_closed(self) -> bool:
        return bool(self._waiting) and self._waiting[-1] in _BRACKETS.values()

    @property
    def _at_start(self) -> bool:
        return self._before == "\n" or self._before in SENTENCE_ENDS | CLOSERS

    def _read(self, character: str, read: list[Directed]) -> None:
        if self._is_closed:
            if character == _LINK:
                self._release(read)
            else:
                self._end_direction(read)
        if self._waiting:
            self._waiting += character
            closes = character == _BRACKETS[self._waiting[0]] and len(self._waiting) > 2
            if not closes and not (character.isalpha() and len(self._waiting) <= LONGEST_WORD):
                self._release(read)
        elif character in _BRACKETS and self._at_start:
            self._waiting = character
        elif not (self._swallow_space and character == " "):
            self._give(character, read)

    def _end_direction(self, read: list[Directed]) -> None:
        word, self._waiting = self._waiting[1:-1].lower(), ""
        self._swallow_space = True
        read.extend(Directed("", style) for style in STYLES if style == word)

    def _release(self, read: list[Directed]) -> None:
        waiting, self._waiting = self._waiting, ""
        self._give(waiting, read)

    def _give(self, text: str, read: list[Directed]) -> None:
        if not text:
            return
        read[-1] = Directed(read[-1].text + text, read[-1].style)
        self._swallow_space = False
        visible = text.rstrip(" ")
        self._before = visible[-1] if visible else self._before
