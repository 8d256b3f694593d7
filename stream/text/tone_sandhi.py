"""How Mandarin tones change in connected speech: 一 and 不, neutral tones, third tones, erhua.

Works on words of pinyin syllables such as ``ni3``. Knows nothing about how they were found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from selftalk.stream.text.words_zh import FULL_TONE_WORDS, NEUTRAL_WORDS, NOT_RHOTIC


@dataclass(slots=True)
class Word:
    """A Chinese word: its characters, its part of speech, one syllable per character."""

    text: str
    part: str
    """Part-of-speech tag of jieba."""
    syllables: list[str]


_DIGITS = "零〇一二三四五六七八九幺"
_NUMERAL_UNITS = "十百千万亿"
_NUMERALS = _DIGITS + _NUMERAL_UNITS + "两点"
# 一 keeps its first tone before these: it is a number in a series there.
_SERIES = "月号日楼班组等级期代审到加减乘除比"
_ENDING_WITH_YI = ("统一", "唯一", "万一", "同一", "单一", "专一", "合一", "归一", "之一")
_FINAL_PARTICLES = "吗呢吧啊呀哇嘛啦哦喽咯么的"
_SUFFIXES = "们么子"
_PARTICLE_READINGS = {"的": "de", "了": "le", "着": "zhe", "么": "me", "们": "men"}


def apply(words: Sequence[Word]) -> None:
    """Change the syllables of one phrase (the words between two marks) in place."""
    _say_yi_and_bu(words)
    for index, word in enumerate(words):
        _weaken(word, words[index - 1] if index else None)
    _raise_third_tones(words)
    for index, word in enumerate(words):
        _color_with_er(word, words[index - 1] if index else None)


def _tone(syllable: str) -> str:
    return syllable[-1]


def _toned(syllable: str, tone: str) -> str:
    return syllable[:-1] + tone


def _say_yi_and_bu(words: Sequence[Word]) -> None:
    text = "".join(word.text for word in words)
    syllables = [syllable for word in words for syllable in word.syllables]
    at = 0
    for word in words:
        for offset, char in enumerate(word.text):
            if char == "一":
                word.syllables[offset] = "yi" + _yi_tone(text, syllables, at)
            elif char == "不":
                word.syllables[offset] = "bu" + _bu_tone(text, syllables, at, word, offset)
            at += 1


def _yi_tone(text: str, syllables: Sequence[str], at: int) -> str:
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    numeral = before and before in _DIGITS + "第初十点"
    if not after or after in _DIGITS or (numeral and after not in _NUMERAL_UNITS):
        return "1"
    if before == after:
        return "5"  # 看一看
    if text[at - 1 : at + 1] in _ENDING_WITH_YI:
        return "1"
    if after == "点":  # 一点水; but 一点五 is a number
        return "1" if text[at + 2 : at + 3] in tuple(_DIGITS) else "4"
    if after in _SERIES or text[at + 1 : at + 3] == "年级":
        return "1"
    return "2" if _tone(syllables[at + 1]) == "4" or after == "个" else "4"


def _bu_tone(text: str, syllables: Sequence[str], at: int, word: Word, offset: int) -> str:
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if before and before == after:
        return "5"  # 是不是
    if len(word.text) == 3 and offset == 1:
        return "5"  # 看不见, 对不起
    return "2" if after and _tone(syllables[at + 1]) == "4" else "4"


def _weaken(word: Word, before: Word | None) -> None:
    """Take the tone from particles, suffixes, repeated verbs and words known to lose it."""
    text, syllables = word.text, word.syllables
    if len(text) == 3 and text[1] == "得" and text[0] != "不":
        syllables[1] = "de5"  # 来得及
    if text in FULL_TONE_WORDS:
        return
    if text in NEUTRAL_WORDS or (len(text) == 3 and text[1:] in NEUTRAL_WORDS):
        syllables[-1] = _toned(syllables[-1], "5")
    elif len(text) == 2 and text[0] == text[1] and word.part.startswith("v"):
        syllables[1] = _toned(syllables[1], "5")  # 看看
    elif before and before.text == text and word.part.startswith("v") and len(text) == 1:
        syllables[0] = _toned(syllables[0], "5")  # 看看, cut in two
    elif len(text) == 3 and text.endswith("不得"):
        syllables[-1] = "de5"  # 舍不得
    elif _is_place_or_count(word):
        syllables[-1] = _toned(syllables[-1], "5")
    elif _is_particle(word, before):
        last = text[-1]
        syllables[-1] = _PARTICLE_READINGS.get(last, syllables[-1][:-1]) + "5"


def _is_place_or_count(word: Word) -> bool:
    """地里; 个 after a numeral."""
    last, part = word.text[-1], word.part
    if last == "个":
        return part[:1] in "mqr"
    return len(word.text) > 1 and last == "里" and part in ("s", "f")


def _is_particle(word: Word, before: Word | None) -> bool:
    last, part = word.text[-1], word.part[:1]
    if before is None and len(word.text) == 1:
        return False  # 啊！
    if len(word.text) > 1:
        if last == "子":
            return part == "n" and len(word.text) <= 3
        return last in _SUFFIXES or (last in _FINAL_PARTICLES and part not in "nv")
    if last in "里上":  # the place words, not the verb
        return part == "f" and before is not None and before.part[:1] in "ns"
    if last == "过":
        return part == "u" and before is not None
    if last in "着了":
        return part == "u" or (before is not None and before.part[:1] in "va")
    return last in _FINAL_PARTICLES or last == "们"


def _color_with_er(word: Word, before: Word | None) -> None:
    """A suffix 儿 takes the tone of the syllable that it colours: 花儿 hua1 er1."""
    text = word.text
    if text[-1] != "儿" or text in NOT_RHOTIC or text[-2:] in NOT_RHOTIC:
        return
    if len(text) > 1 and not word.part.startswith("nr"):
        word.syllables[-1] = "er" + _tone(word.syllables[-2])
    elif len(text) == 1 and before is not None:
        word.syllables[0] = "er" + _tone(before.syllables[-1])


def _raise_third_tones(words: Sequence[Word]) -> None:
    for foot in _feet(words):
        for (word, at), (following, place) in pairwise(foot):
            if word.syllables[at][-1] == "3" and following.syllables[place][-1] == "3":
                word.syllables[at] = _toned(word.syllables[at], "2")
    for left, right in reversed(list(pairwise(words))):
        both_third = _tone(left.syllables[-1]) == "3" and _tone(right.syllables[0]) == "3"
        joined = 1 in (len(left.text), len(right.text)) or left.part[:1] in "rm"
        if both_third and joined:
            left.syllables[-1] = _toned(left.syllables[-1], "2")


def _feet(words: Sequence[Word]) -> list[list[tuple[Word, int]]]:
    """Rhythmic groups of two or three syllables inside which third tones always change."""
    feet: list[list[tuple[Word, int]]] = []
    singles: list[tuple[Word, int]] = []
    for word in words:
        if len(word.text) == 1:
            singles.append((word, 0))
            continue
        feet += _pairs(singles)
        singles = []
        feet += _word_feet(word)
    return feet + _pairs(singles)


def _pairs(singles: list[tuple[Word, int]]) -> list[list[tuple[Word, int]]]:
    groups = [singles[at : at + 2] for at in range(0, len(singles), 2)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [[*groups[-2], *groups[-1]]]
    return groups


def _word_feet(word: Word) -> list[list[tuple[Word, int]]]:
    places = [(word, at) for at in range(len(word.text))]
    if len(places) == 3 and re.match("[小老大纸好很]", word.text):
        return [places[:1], places[1:]]  # 小老板: the first stands alone
    if len(places) <= 3 or not word.text.strip(_NUMERALS):
        return [places]
    return [places[at : at + 2] for at in range(0, len(places), 2)]
