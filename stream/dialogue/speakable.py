"""Speakable: a reply as written → the same reply as it should be said.

Markdown, code, emoji, stage directions, citations and the tails of links vanish; words and
punctuation stay. Knows nothing about sentences or voices.

The filter takes one character at a time and waits wherever a later character could change
the meaning of an earlier one, so the result never depends on how the text was cut.
"""

import re
import unicodedata
from dataclasses import dataclass

from selftalk.stream.minds.stage_directions import first_word, is_action, is_action_zh

SPAN_LIMIT = 120  # an opened bracket or star not closed within so many characters means nothing
LINK_LIMIT = 600

CLOSING_PUNCTUATION = frozenset(".,!?;:)]}…。，！？；：、）】」』”’")
SENTENCE_ENDS = frozenset(".!?…。！？~～")
KEPT_SYMBOLS = frozenset("°℃℉№©®™")
JOINERS = frozenset("\u200c\u200d")  # they shape letters in some scripts, and emoji elsewhere

EMOTICONS_TEXT = ":) :-) :( :-( ;) ;-) :D :-D :P :-P :p :O :o :/ :-/ :* :'( =) ^_^ ^^ <3"

EMOTICONS = tuple(sorted(EMOTICONS_TEXT.split(), key=len, reverse=True))

CITATION = re.compile(r"\s*(\^?\d+(\s*[-–,]\s*\d+)*|\^[\w-]+|x|X|citation needed|sources?|)\s*")
FULL_WIDTH_CITATION = re.compile(r"\d+([†:：].*)?")
URL_START = re.compile(r"(https?://|www\.)", re.IGNORECASE)
URL_STARTS = ("https://", "http://", "www.")
NOT_IN_HOSTS = re.compile(r"[^\w.-]")
URL_HOST = re.compile(r"(?:https?://)?(?:[^/@\s]*@)?(?:www\.)?([^/:?#\s]*)", re.IGNORECASE)
URL_STOPS = frozenset("<>\"'`|，。！？；：、（）「」『』【】《》")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece of the written text that is now understood."""

    taken: int
    """How many written characters it covers, at least 1."""
    spoken: str = ""
    reread: str = ""
    """Shorter text to read again instead, such as the label of a link."""


class Speakable:
    """Turns the deltas of one reply into speakable text."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the reply under way."""
        self._pending = ""  # written, not understood yet
        self._skip_until = ""  # the end mark of code or of a model's thoughts
        self._before = ""  # the last visible character given out
        self._space = ""  # since the last visible character: "", " " (owed) or "\n" (given)
        self._dropped = False  # whether something vanished since the last visible character

    def push(self, delta: str) -> str:
        """Add written text; return what can be said of it so far."""
        spoken = ""
        for character in delta:
            self._pending += character
            spoken += self._read(at_end=False)
        return spoken

    def flush(self) -> str:
        """Return the rest of the reply and start afresh."""
        spoken = self._read(at_end=True)
        self.reset()
        return spoken

    def _read(self, at_end: bool) -> str:
        spoken = ""
        while self._pending:
            unit = self._next_unit(self._pending, at_end)
            if unit is None:
                break
            self._pending = unit.reread + self._pending[unit.taken :]
            spoken += self._say(unit.spoken)
            self._dropped |= not unit.spoken
        return spoken

    def _say(self, text: str) -> str:
        said = ""
        for character in text:
            if character == "\n" and self._space != "\n":
                # At once: who listens for the end of a sentence need not wait for more.
                said += "\n" if self._before else ""
                self._space = "\n"
            elif character.isspace():
                self._space = self._space or " "
            else:
                orphan = self._dropped and character in CLOSING_PUNCTUATION
                said += " " if self._before and self._space == " " and not orphan else ""
                said += character
                self._before, self._space, self._dropped = character, "", False
        return said

    # ---- what the next written characters are; None asks for more of them

    def _next_unit(self, text: str, at_end: bool) -> _Unit | None:
        first = text[0]
        if self._skip_until:
            return self._skip(text, at_end)
        if first.isspace():
            return _Unit(1, first)
        if self._at_line_start and (unit := self._line_marker(text, at_end)) is not _NO_UNIT:
            return unit
        if first in _RULES:
            return _RULES[first](self, text, at_end)
        if self._at_word_start:
            return self._word_start(text, at_end)
        return _Unit(1, "" if self._is_silent(first) else first)

    @property
    def _at_line_start(self) -> bool:
        return not self._before or self._space == "\n"

    @property
    def _at_word_start(self) -> bool:
        return bool(self._space) or not (self._before.isalnum() and self._before.isascii())

    @property
    def _at_sentence_start(self) -> bool:
        return self._at_line_start or self._before in SENTENCE_ENDS

    def _is_silent(self, character: str) -> bool:
        if character in JOINERS:
            return self._dropped or not self._before.isalpha()
        return _is_decoration(character)

    def _skip(self, text: str, at_end: bool) -> _Unit | None:
        if text.startswith(self._skip_until):
            length, self._skip_until = len(self._skip_until), ""
            return _Unit(length, "\n")
        if self._skip_until.startswith(text) and not at_end:
            return None
        return _Unit(1)

    def _line_marker(self, text: str, at_end: bool) -> _Unit | None:
        first = text[0]
        if first == "|":
            return _table_row(text, at_end)
        if first not in "-+*•=":
            return _NO_UNIT
        run = len(text) - len(text.lstrip(first))
        if run == len(text):
            return _Unit(run) if at_end else None
        following = text[run]
        if run >= 3 and first in "-*=" and following == "\n":
            return _Unit(run)
        return _Unit(1) if run == 1 and following == " " else _NO_UNIT

    def _word_start(self, text: str, at_end: bool) -> _Unit | None:
        if URL_START.match(text):
            return _url(text, at_end)
        lowered = text.lower()
        if not at_end and any(start.startswith(lowered) for start in URL_STARTS):
            return None
        if any(emoticon.startswith(text) for emoticon in EMOTICONS) and not at_end:
            return None
        for emoticon in EMOTICONS:
            if text.startswith(emoticon) and not text[len(emoticon) :][:1].isalnum():
                return _Unit(len(emoticon))
        return _Unit(1, "" if self._is_silent(text[0]) else text[0])

    def _star(self, text: str, at_end: bool) -> _Unit | None:
        run = len(text) - len(text.lstrip("*"))
        if run == len(text) and not at_end:
            return None
        following = text[run : run + 1]
        if run > 1:
            return _Unit(run)
        if self._before.isdigit() and (following.isdigit() or following == " " == self._space):
            return _Unit(1, "×")
        if not following or following.isspace() or (self._before.isalnum() and not self._space):
            return _Unit(1)
        return _stage_direction(text, "*", self._at_sentence_start, at_end)

    def _bracket(self, text: str, at_end: bool) -> _Unit | None:
        close = _find_close(text, "]", SPAN_LIMIT, at_end)
        if close is None:
            return None
        if close < 0:
            return _Unit(1)
        inside, following = text[1:close], text[close + 1 : close + 2]
        if not following and not at_end:
            return None
        if following == "(":
            link_end = _find_link_end(text, close + 1, at_end)
            if link_end is None:
                return None
            if link_end > 0:
                return _Unit(link_end + 1, reread=inside)
        if CITATION.fullmatch(inside) or is_action(first_word(inside)):
            return _Unit(close + 1)
        return _Unit(close + 1, reread=inside)

    def _full_width_bracket(self, text: str, at_end: bool) -> _Unit | None:
        close = _find_close(text, "】", SPAN_LIMIT, at_end)
        if close is None:
            return None
        cited = close > 0 and FULL_WIDTH_CITATION.fullmatch(text[1:close])
        return _Unit(close + 1) if cited else _Unit(1, "【")

    def _parenthesis(self, text: str, at_end: bool) -> _Unit | None:
        close = ")" if text[0] == "(" else "）"
        unit = _stage_direction(text, close, False, at_end)
        return _Unit(1, text[0]) if unit == _Unit(1) else unit

    def _exclamation(self, text: str, at_end: bool) -> _Unit | None:
        if len(text) == 1:
            return _Unit(1, "!") if at_end else None
        if text[1] != "[":
            return _Unit(1, "!")
        middle = _find_close(text, "](", SPAN_LIMIT, at_end)
        if middle is None or middle < 0:
            return None if middle is None else _Unit(1, "!")
        image_end = _find_link_end(text, middle + 1, at_end)
        if image_end is None:
            return None
        return _Unit(image_end + 1) if image_end > 0 else _Unit(1, "!")

    def _angle(self, text: str, at_end: bool) -> _Unit | None:
        if len(text) == 1:
            return _Unit(1, "<") if at_end else None
        if text[1] == "3":
            return self._word_start(text, at_end)
        if not (text[1].isalpha() or text[1] == "/"):
            return _Unit(1, "<")
        close = _find_close(text, ">", LINK_LIMIT, at_end)
        if close is None:
            return None
        inside = text[1:close]
        if close < 0:
            return _Unit(1)
        if inside in ("think", "thinking"):
            self._skip_until = f"</{inside}>"
        return _Unit(close + 1, reread=inside if "@" in inside or "://" in inside else "")

    def _tick(self, text: str, at_end: bool) -> _Unit | None:
        run = len(text) - len(text.lstrip(text[0]))
        if run == len(text) and not at_end and run < 3:
            return None
        if run >= 3:
            self._skip_until = text[0] * 3
            return _Unit(3)
        drawn_out = text[0] == "~" and run == 1 and _is_wide(self._before or " ")
        return _Unit(run, "～" if drawn_out else "")

    def _underscore(self, text: str, at_end: bool) -> _Unit | None:
        if len(text) == 1 and not at_end:
            return None
        inside_word = self._before.isalnum() and not self._space and text[1:2].isalnum()
        return _Unit(1, " " if inside_word else "")

    def _hash(self, text: str, at_end: bool) -> _Unit | None:
        return _Unit(1) if self._at_word_start else _Unit(1, "#")

    def _quote_mark(self, text: str, at_end: bool) -> _Unit | None:
        return _Unit(1) if self._at_line_start else _Unit(1, ">")

    def _backslash(self, text: str, at_end: bool) -> _Unit | None:
        return _Unit(1)


def speakable(text: str) -> str:
    """Return a whole text as it should be said."""
    stream = Speakable()
    return stream.push(text) + stream.flush()


_NO_UNIT = _Unit(0)
_RULES = {
    "*": Speakable._star,
    "[": Speakable._bracket,
    "【": Speakable._full_width_bracket,
    "(": Speakable._parenthesis,
    "（": Speakable._parenthesis,
    "!": Speakable._exclamation,
    "<": Speakable._angle,
    "`": Speakable._tick,
    "~": Speakable._tick,
    "_": Speakable._underscore,
    "#": Speakable._hash,
    ">": Speakable._quote_mark,
    "\\": Speakable._backslash,
}


def _find_close(text: str, mark: str, limit: int, at_end: bool, start: int = 0) -> int | None:
    """Position of the closing mark on this line; -1 if there is none, None if still open."""
    line = text[start:].split("\n", 1)[0][:limit]
    position = line.find(mark)
    if position >= 0:
        return start + position
    ended = at_end or len(line) < len(text) - start or len(line) == limit
    return -1 if ended else None


def _find_link_end(text: str, start: int, at_end: bool) -> int | None:
    """Like `_find_close` for the parenthesis at `start`, which may hold balanced ones."""
    depth = 0
    for position, character in enumerate(text[start : start + LINK_LIMIT], start):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if not depth or character == "\n":
            return -1 if depth else position
    return -1 if at_end or len(text) - start >= LINK_LIMIT else None


def _stage_direction(text: str, close_mark: str, loose: bool, at_end: bool) -> _Unit | None:
    """Drop "*smiles*"; anything else loses only its first character.

    Args:
        text: from the opening mark on.
        close_mark: what closes the direction.
        loose: whether any lower-case verb form will do, not only the known ones.
        at_end: whether no more text will come.
    """
    inside = text[1:]
    if inside and _is_wide(inside[0]):
        close = _find_close(inside, close_mark, 16, at_end)
        if close is None:
            return None
        acts = close >= 0 and is_action_zh(inside)
        return _Unit(close + 2) if acts else _Unit(1)
    word = first_word(inside)
    if word == inside and not at_end:
        return None
    if not is_action(word, loose=loose):
        return _Unit(1)
    close = _find_close(inside, close_mark, SPAN_LIMIT, at_end)
    if close is None:
        return None
    return _Unit(close + 2) if close >= 0 else _Unit(1)


def _url(text: str, at_end: bool) -> _Unit | None:
    """A link is said as its host: "https://www.example.com/a?b=c" → "example.com"."""
    end = next((i for i, c in enumerate(text) if c.isspace() or c in URL_STOPS or _is_wide(c)), -1)
    if end < 0 and not at_end and len(text) < LINK_LIMIT:
        return None
    link = (text if end < 0 else text[:end]).rstrip(".,!?;:)]*_")
    host = URL_HOST.match(link)
    return _Unit(len(link), NOT_IN_HOSTS.sub("", host.group(1)) if host else "")


def _table_row(text: str, at_end: bool) -> _Unit | None:
    """A table row is said as its cells with commas; the ruling row is not said."""
    close = text.find("\n")
    if close < 0 and not at_end:
        return None
    row = text if close < 0 else text[:close]
    cells = [cell.strip() for cell in row.split("|") if cell.strip(" -:\t")]
    return _Unit(len(row), reread=", ".join(cells))


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" and character.isalpha()


def _is_decoration(character: str) -> bool:
    """Whether a character stands for nothing audible: emoji, controls, ornaments."""
    if character in KEPT_SYMBOLS:
        return False
    return (
        unicodedata.category(character) in ("So", "Cc", "Cf", "Co", "Cs", "Cn")
        or character in "•▪‣|{}^\u20e3"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
