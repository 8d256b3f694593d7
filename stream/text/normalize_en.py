"""English as it is written → as it is spoken: abbreviations, acronyms, addresses, signs, numbers.

Every written word keeps its own spoken words, so captions stay true. Knows nothing about phonemes:
a spoken word is letters, or a single capital that is to be named as a letter.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from selftalk.stream.text import numbers_en as numbers
from selftalk.stream.text import quantities_en as quantities
from selftalk.stream.text import written_en as written
from selftalk.stream.text.tokens_en import Context, Token, tokens

_MARKS = str.maketrans("，。？！、；：;:—–", ",.?!,,,,,--")
_ADDRESS_SIGNS = {
    ".": "dot",
    "@": "at",
    "/": "slash",
    "\\": "backslash",
    "-": "dash",
    "_": "underscore",
    ":": "colon",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    "~": "tilde",
    "%": "percent",
    "+": "plus",
}
_ADDRESS_WORDS = {"py": "pie", "txt": "text", "src": "source", "config": "config"}
_COUNTS = ("number", "money", "range", "fraction")


class SpokenWord(NamedTuple):
    """A written word (empty: a punctuation mark) and what is said for it."""

    written: str
    words: tuple[str, ...]


_FULL_STOP = SpokenWord("", (".",))


def normalize(text: str) -> list[SpokenWord]:
    """Read a text aloud, word by word."""
    found = tokens(text)
    shouted = _is_shouted(found)
    spoken: list[SpokenWord] = []
    for index, token in enumerate(found):
        before = found[index - 1] if index else None
        after = found[index + 1] if index + 1 < len(found) else None
        spoken += _read(token, Context(before, after, shouted))
    return spoken


def _is_shouted(found: Sequence[Token]) -> bool:
    words = [token.text for token in found if token.kind == "word"]
    return len(words) > 1 and len("".join(words)) > 5 and all(word.isupper() for word in words)


def _read(token: Token, context: Context) -> list[SpokenWord]:
    quantity = quantities.READERS.get(token.kind)
    if quantity:
        return _word(token.text, *quantity(token.text, context))
    return _READERS[token.kind](token.text, context)


def _word(text: str, *spoken: str) -> list[SpokenWord]:
    return [SpokenWord(text, spoken)]


def _read_mark(text: str, context: Context) -> list[SpokenWord]:
    mark = text.translate(_MARKS)
    if ".." in mark or "…" in mark:
        return [SpokenWord("", ("…",))]
    kept = next((char for char in "?!.," if char in mark), "-")
    spaced = context.after is not None and context.after.gap
    if text == "-" and not spaced:
        if context.before_kind("money") and context.after_kind("money"):
            return _word(text, "to")
        return []  # a stray joint
    return [SpokenWord("", (kept,))]


def _read_symbol(text: str, context: Context) -> list[SpokenWord]:
    if text == "#":
        return _read_hash(text, context)
    return _word(text, *written.SYMBOLS[text].split())


def _read_hash(text: str, context: Context) -> list[SpokenWord]:
    if context.after is None or context.after.gap:  # a heading of written text
        return []
    return _word(text, "number" if context.after.kind == "number" else "hashtag")


def _read_grade(text: str, context: Context) -> list[SpokenWord]:
    """``A+``, ``B-``, ``C++``, ``C#``."""
    signs = {"+": "plus", "-": "minus", "−": "minus", "#": "sharp"}
    return _word(text, text[0], *(signs[sign] for sign in text[1:]))


def _read_dotted(text: str, context: Context) -> list[SpokenWord]:
    """A full stop that belongs to its word (``Dr.``, ``p.m.``, ``J.``) or ends the sentence."""
    last = context.after is None
    known = _abbreviation(text, context)
    if known:
        return [*_word(text, *known.split()), *([_FULL_STOP] if last else [])]
    if "." in text.rstrip("."):
        next_sentence = context.next_text[:1].isupper() and not context.after_kind("mark")
        ends = last or (next_sentence and text.lower() in ("a.m.", "p.m."))
        letters = _word(text, *text.upper().replace(".", ""))
        return [*letters, _FULL_STOP] if ends else letters
    if re.fullmatch(r"[A-Z]\.", text) and context.next_text[:1].isupper():  # an initial
        return _word(text, text[0])
    return [*_read_word(text[:-1], context), _FULL_STOP]


def _abbreviation(text: str, context: Context) -> str | None:
    lower = text.lower()
    lower = lower if lower.endswith(".") or lower not in ("e.g", "i.e") else lower + "."
    known = written.ABBREVIATIONS.get(lower)
    capital_follows = context.next_text[:1].isupper()
    number_follows = context.after_kind("number", "range", "ordinal", "version")
    if lower == "st." and context.before and not capital_follows:
        return "street"
    if lower in written.ONLY_BEFORE_NUMBER and not number_follows:
        return None
    if lower in written.ONLY_BEFORE_CAPITAL and not capital_follows:
        return None
    ends = context.after is None or (lower != text and capital_follows)
    if lower in written.NOT_AT_END and ends and not number_follows:
        return None
    return known


def _read_address(text: str, context: Context) -> list[SpokenWord]:
    spoken: list[str] = []
    for part in re.findall(r"[A-Za-z]+|[0-9]+|[^\w\s]|_", re.sub(r"^https?://", "", text)):
        lower = part.lower()
        if part in _ADDRESS_SIGNS:
            spoken += _ADDRESS_SIGNS[part].split()
        elif part.isdigit():
            spoken += numbers.digits(part) if len(part) > 4 else numbers.cardinal(int(part))
        elif lower in written.SPELLED_IN_ADDRESSES:
            spoken += part.upper()
        else:
            spoken.append(_ADDRESS_WORDS.get(lower, part if part.isupper() else lower))
    return _word(text, *spoken)


def _read_word(text: str, context: Context) -> list[SpokenWord]:
    lower = text.lower().replace("’", "'")
    if context.before_kind(*_COUNTS) and quantities.is_unit(text):
        single = context.previous_text in ("1", "-1", "1/2")
        return _word(text, *quantities.unit_words(text, single=single))
    if context.before_kind("money") and lower in written.SCALE_WORDS:
        symbol = context.previous_text.lstrip("-−")[0]
        return _word(text, lower, quantities.plural(written.CURRENCIES[symbol][0]))
    if context.before_kind("time", "number") and lower in ("am", "pm"):
        return _word(text, *lower.upper())
    if lower in written.ABBREVIATIONS and (text != text.upper() or "/" in text):
        return _word(text, *written.ABBREVIATIONS[lower].split())
    if text == "A" and (context.before is None or context.before_kind("mark") or context.shouted):
        return _word(text, "a")  # the article; elsewhere a capital A is the letter
    numeral = _roman_words(text, context)
    if numeral:
        return _word(text, *numeral)
    return _word(text, *_parts(lower if context.shouted else text.replace("’", "'")))


def _parts(text: str) -> list[str]:
    """Letters as words or names, digits as numbers: ``GPT-4o`` → GPT four o."""
    parts = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*'?|[0-9]+|&", text)
    if "-" in text and "".join(parts) != text and text.lower() in written.HYPHENATED:
        return [text.lower()]
    words: list[str] = []
    for part in parts:
        if part == "&":
            words.append("and")
        elif part[0] in "0123456789":
            words += numbers.digits(part) if len(part) > 4 else quantities.bare(part)
        else:
            words.append(part)
    return words


def _roman_words(text: str, context: Context) -> list[str]:
    number = numbers.roman(text)
    previous = context.previous_text.lower()
    if number and previous in written.BEFORE_ROMAN:
        return numbers.cardinal(number)
    if number and previous in written.RULERS and text != "I":
        return ["the", *numbers.ordinal(number)]
    return []


_READERS: dict[str, Callable[[str, Context], list[SpokenWord]]] = {
    "address": _read_address,
    "grade": _read_grade,
    "dotted": _read_dotted,
    "word": _read_word,
    "mark": _read_mark,
    "symbol": _read_symbol,
}
