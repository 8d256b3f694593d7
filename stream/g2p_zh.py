"""Mandarin → initials and toned finals, one pair per character.

Words are cut by jieba, read by pypinyin's phrase dictionary, and corrected where the part of speech
decides (得, 地, 还, 长 …). Knows nothing about Latin words inside; ``text`` hands those to English.
"""

import logging
import re
from collections.abc import Sequence
from functools import cache
from types import ModuleType

from selftalk.stream import tone_sandhi
from selftalk.stream.errors import TextError
from selftalk.stream.normalize_zh import Written, normalize
from selftalk.stream.phonemes import Spoken
from selftalk.stream.symbols import CHINESE_FINALS, PUNCTUATION
from selftalk.stream.tone_sandhi import Word

_SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)([a-zêü]+)([1-5])")
_ODD_SYLLABLES = {"n": "en", "ng": "en", "m": "mu", "hm": "hen", "hng": "heng", "ê": "ei"}
_ZERO_INITIALS = {"a": "AA", "e": "EE", "o": "OO"}
_AFTER_Y = {"an": "En", "e": "E", "u": "v", "uan": "van", "ue": "ve", "un": "vn"}
_AFTER_JQX = {"u": "v", "uan": "van", "ue": "ve", "un": "vn"}


def syllable_symbols(syllable: str) -> tuple[str, str] | None:
    """``zhang3`` → (``zh``, ``ang3``); None if it is no Mandarin syllable."""
    match = _SYLLABLE.fullmatch(syllable.replace("ü", "v"))
    if match is None or match[1] + match[2] in _ODD_SYLLABLES:
        odd = _ODD_SYLLABLES.get(syllable[:-1])
        return syllable_symbols(odd + syllable[-1]) if odd else None
    initial, final, tone = match.groups()
    if not initial:
        initial = _ZERO_INITIALS.get(final[0], "")
    elif initial == "y":
        final = _AFTER_Y.get(final, final)
    elif initial in "jqx":
        final = _AFTER_JQX.get(final, final)
    elif final == "i" and initial in ("zh", "ch", "sh", "r"):
        final = "ir"
    elif final == "i" and initial in ("z", "c", "s"):
        final = "i0"
    elif final == "ue":
        final = "ve"
    return (initial, final + tone) if initial and final in CHINESE_FINALS else None


@cache
def _jieba() -> ModuleType:
    try:
        import jieba
        import jieba.posseg
    except ImportError as error:
        raise TextError("Chinese needs the packages jieba and pypinyin: pip install selftalk") from error
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    posseg: ModuleType = jieba.posseg
    return posseg


@cache
def _pypinyin() -> ModuleType:
    try:
        import pypinyin
    except ImportError as error:
        raise TextError("Chinese needs the packages jieba and pypinyin: pip install selftalk") from error
    module: ModuleType = pypinyin
    return module


def speak(text: str) -> list[Spoken]:
    """Phonemes of Chinese text, character by character (a number is one word)."""
    spoken: list[Spoken] = []
    phrase: list[Written] = []
    for piece in [*normalize(text), Written("", "")]:
        if piece.written:
            phrase.append(piece)
            continue
        spoken += _speak_phrase(phrase)
        phrase = []
        if piece.spoken in PUNCTUATION:
            spoken.append(Spoken("", (piece.spoken,)))
    return spoken


def _speak_phrase(phrase: Sequence[Written]) -> list[Spoken]:
    syllables = iter(read("".join(piece.spoken for piece in phrase)))
    spoken: list[Spoken] = []
    for piece in phrase:
        pairs = [syllable_symbols(next(syllables)) for _ in piece.spoken]
        symbols = tuple(symbol for pair in pairs if pair for symbol in pair)
        spoken.append(Spoken(piece.written, symbols))
    return spoken


def read(characters: str) -> list[str]:
    """One pinyin syllable per Chinese character, tones as spoken; unreadable: ``?5``."""
    if not characters:
        return []
    words = [
        Word(text, part, _dictionary_reading(text)) for text, part in _jieba().lcut(characters)
    ]
    for index, word in enumerate(words):
        _choose_reading(word, words[index - 1] if index else None, words[index + 1 : index + 2])
    tone_sandhi.apply(words)
    return [syllable for word in words for syllable in word.syllables]


def _dictionary_reading(word: str) -> list[str]:
    pypinyin = _pypinyin()
    syllables: list[str] = pypinyin.lazy_pinyin(
        word,
        style=pypinyin.Style.TONE3,
        neutral_tone_with_five=True,
        errors=lambda unknown: ["?5"] * len(unknown),
    )
    assert len(syllables) == len(word), (word, syllables)
    return syllables


# What a character is said as when it stands alone, by its part of speech.
_BY_PART: dict[str, dict[str, str]] = {
    "得": {"u": "de5", "v": "dei3"},
    "地": {"u": "de5"},
    "着": {"u": "zhe5"},
    "还": {"d": "hai2", "v": "huan2"},
    "长": {"a": "chang2", "v": "zhang3", "n": "chang2"},
    "为": {"p": "wei4", "v": "wei2"},
    "种": {"q": "zhong3", "m": "zhong3", "n": "zhong3", "v": "zhong4"},
    "只": {"d": "zhi3", "q": "zhi1", "m": "zhi1"},
    "行": {"v": "xing2", "n": "hang2", "q": "hang2", "a": "xing2"},
    "重": {"a": "zhong4", "d": "chong2", "v": "chong2"},
    "好": {"a": "hao3", "v": "hao3"},
    "都": {"d": "dou1"},
    "数": {"v": "shu3", "n": "shu4", "m": "shu4"},
    "背": {"v": "bei1", "n": "bei4"},
    "当": {"p": "dang1", "v": "dang1"},
    "倒": {"d": "dao4", "v": "dao4"},
    "假": {"a": "jia3", "n": "jia4"},
    "空": {"a": "kong1", "n": "kong4"},
    "教": {"v": "jiao1", "n": "jiao4"},
    "和": {"c": "he2", "p": "he2"},
    "了": {"u": "le5", "v": "liao3"},
    "没": {"d": "mei2", "v": "mei2"},
    "系": {"n": "xi4", "v": "xi4"},
    "干": {"v": "gan4", "a": "gan1"},
    "少": {"a": "shao3", "d": "shao3"},
    "弹": {"v": "tan2", "n": "dan4"},
    "吐": {"v": "tu3"},
}


def _choose_reading(word: Word, before: Word | None, after: Sequence[Word]) -> None:
    if len(word.text) != 1:
        return
    readings = _BY_PART.get(word.text)
    if readings and word.part[:1] in readings:
        word.syllables[0] = readings[word.part[:1]]
    following = after[0] if after else None
    if word.text == "还" and following is not None:
        word.syllables[0] = "huan2" if following.part[:1] in "nm" or following.text[0] in "给钱书" else "hai2"
    elif word.text == "得" and before is None:
        word.syllables[0] = "dei3"
    elif word.text == "地" and before is not None and before.part[:1] not in "dazio":
        word.syllables[0] = "di4"
