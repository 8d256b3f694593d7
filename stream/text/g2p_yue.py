"""Cantonese → initials and toned finals, one pair per character, by ToJyutping.

Knows nothing about Latin words inside; ``text`` hands those to English.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from selftalk.stream.errors import TextError
from selftalk.stream.text.normalize_zh import normalize
from selftalk.stream.text.phonemes import Spoken, Written, by_phrase
from selftalk.stream.text.symbols import CANTONESE_PREFIX, SYMBOLS_V2

_SYLLABLE = re.compile(r"(ng(?=[a-z])|gw|kw|[bpmfdtnlgkhwzcsj]?)([a-z]+)([1-6])")
# Without an initial the official table splits the final itself: 愛 oi3 → Yoi Yi3, 呀 aa3 → Yaa Ya3.
_FINAL_HEADS = ("aa", "ai", "ak", "au", "a", "e", "ok", "oi", "on", "ou", "o", "uk")
_SYLLABIC_NASALS = {"m": ("m", "m"), "ng": ("ng", "g")}
_KNOWN = frozenset(SYMBOLS_V2)
# Words that the dictionary of ToJyutping does not join.
_WORDS = {"行長": "hong4 zoeng2", "行长": "hong4 zoeng2"}


@cache
def _tojyutping() -> Any:
    try:
        import ToJyutping
    except ImportError as error:
        raise TextError(
            "Cantonese needs the package ToJyutping: pip install 'selftalk[text]'"
        ) from error
    return ToJyutping


def syllable_symbols(syllable: str) -> tuple[str, ...]:
    """``keoi5`` → (``Yk``, ``Yeoi5``); nothing for what is no Cantonese syllable."""
    bare, tone = syllable[:-1], syllable[-1:]
    if bare in _SYLLABIC_NASALS:
        initial, final = _SYLLABIC_NASALS[bare]
        return _prefixed(initial, final + tone)
    match = _SYLLABLE.fullmatch(syllable)
    if match is None:
        return ()
    initial, final, tone = match.groups()
    if initial:
        return _prefixed(initial, final + tone)
    head = next((head for head in _FINAL_HEADS if final.startswith(head)), final[0])
    rest = final.removeprefix(head) or head[-1]
    return (
        _prefixed(head, rest + tone) or _prefixed(final[0], final + tone) or _prefixed(final + tone)
    )


def _prefixed(*parts: str) -> tuple[str, ...]:
    symbols = tuple(CANTONESE_PREFIX + part for part in parts)
    return symbols if all(symbol in _KNOWN for symbol in symbols) else ()


def speak(text: str) -> list[Spoken]:
    """Phonemes of Cantonese text, character by character (a number is one word)."""
    return by_phrase((_in_cantonese(piece) for piece in normalize(text)), _speak_phrase)


def _in_cantonese(piece: Written) -> Written:
    """What differs from Mandarin in reading numbers: no 幺, and a dollar is 蚊."""
    spoken = piece.spoken.replace("幺", "一")
    if piece.written.startswith("$"):
        spoken = spoken.replace("美元", "蚊")
    return Written(piece.written, spoken)


def _speak_phrase(phrase: Sequence[Written]) -> list[Spoken]:
    syllables = iter(read("".join(piece.spoken for piece in phrase)))
    spoken: list[Spoken] = []
    for piece in phrase:
        parts = [syllable_symbols(next(syllables)) for _ in piece.spoken]
        spoken.append(Spoken(piece.written, tuple(symbol for part in parts for symbol in part)))
    return spoken


def read(characters: str) -> list[str]:
    """One Jyutping syllable per character; an unknown character gives an empty one."""
    if not characters:
        return []
    pairs = _tojyutping().get_jyutping_list(characters)
    syllables = [(said or "").split(" ")[0] for _, said in pairs]
    assert len(syllables) == len(characters), (characters, pairs)
    for word, said in _WORDS.items():
        for match in re.finditer(word, characters):
            syllables[match.start() : match.end()] = said.split()
    return syllables
