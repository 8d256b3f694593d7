"""Mandarin → initials and toned finals, one pair per character.

Words are cut by jieba, read by pypinyin's phrase dictionary, and corrected where the part of speech
decides (得, 地, 还, 长 …). Knows nothing about Latin words inside; ``text`` hands those to English.
"""

import logging
import re
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType

from selftalk.stream.errors import TextError
from selftalk.stream.home import cache_folder
from selftalk.stream.text import tone_sandhi
from selftalk.stream.text.normalize_zh import normalize
from selftalk.stream.text.phonemes import Spoken, Written, by_phrase
from selftalk.stream.text.pinyin import syllable_symbols
from selftalk.stream.text.tone_sandhi import Word
from selftalk.stream.text.traditional_zh import simplified
from selftalk.stream.text.words_zh import READINGS, SURNAMES, TITLES

_MISSING = "Chinese needs the packages jieba and pypinyin: pip install jieba pypinyin"


@cache
def _jieba() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its source has escapes that newer Pythons mind
            import jieba
            import jieba.posseg
    except ImportError as error:
        raise TextError(_MISSING) from error
    jieba.setLogLevel(logging.WARNING)
    jieba.dt.tmp_dir = _cache_folder()
    jieba.initialize()
    posseg: ModuleType = jieba.posseg
    return posseg


def _cache_folder() -> str | None:
    """Where jieba keeps its compiled dictionary: not in a folder that others can write to."""
    folder = cache_folder() / "jieba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder)


@cache
def _pypinyin() -> ModuleType:
    try:
        import pypinyin
    except ImportError as error:
        raise TextError(_MISSING) from error
    module: ModuleType = pypinyin
    return module


def common_words(count: int) -> list[str]:
    """The words of two characters and more that the dictionary knows best, best first."""
    _jieba()
    import jieba

    known: dict[str, int] = jieba.dt.FREQ
    words = [word for word in known if len(word) > 1 and word.isalpha() and not word.isascii()]
    return sorted(words, key=lambda word: (-known[word], word))[:count]


def speak(text: str) -> list[Spoken]:
    """Phonemes of Chinese text, character by character (a number is one word)."""
    return [
        mark if mark.word else mark._replace(characters="".join(mark.symbols))
        for mark in by_phrase(normalize(text), _speak_phrase)
    ]


def _speak_phrase(phrase: Sequence[Written]) -> list[Spoken]:
    syllables = iter(read("".join(piece.spoken for piece in phrase)))
    spoken: list[Spoken] = []
    for piece in phrase:
        pairs = [syllable_symbols(next(syllables)) for _ in piece.spoken]
        symbols = tuple(symbol for pair in pairs if pair for symbol in pair)
        said = (char for char, pair in zip(simplified(piece.spoken), pairs, strict=True) if pair)
        spoken.append(Spoken(piece.written, symbols, "".join(said)))
    return spoken


def read(characters: str) -> list[str]:
    """One pinyin syllable per Chinese character, tones as spoken; unreadable: ``?5``."""
    if not characters:
        return []
    characters = simplified(characters)
    words = [
        Word(text, part, _dictionary_reading(text))
        for text, part in _jieba().lcut(characters, HMM=False)
    ]
    for before, word, after in zip([None, *words], words, [*words[1:], None], strict=False):
        _choose_reading(word, before, after)
    _set_known_readings(words, characters)
    tone_sandhi.apply(words)
    return [syllable for word in words for syllable in word.syllables]


def _set_known_readings(words: Sequence[Word], characters: str) -> None:
    places = [(word, at) for word in words for at in range(len(word.text))]
    for match in _KNOWN.finditer(characters):
        known = READINGS.get(match.group(), "bu4 liao3").split()
        for (word, at), syllable in zip(places[match.start() : match.end()], known, strict=True):
            word.syllables[at] = syllable


_CANNOT = "(?<=.)不了"  # 受不了: after a verb it is liao3
_KNOWN = re.compile("|".join([*sorted(READINGS, key=len, reverse=True), _CANNOT]))


def _dictionary_reading(word: str) -> list[str]:
    if len(word) == 4 and word[0] == word[1] and word[2] == word[3]:  # 漂漂亮亮 as 漂亮
        first, second = _dictionary_reading(word[::2])
        return [first, first, second, second]
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
    "地": {"u": "de5"},
    "着": {"u": "zhe5"},
    "长": {"a": "chang2", "v": "zhang3", "n": "chang2"},
    "为": {"p": "wei4", "v": "wei2"},
    "种": {"q": "zhong3", "m": "zhong3", "n": "zhong3", "v": "zhong4"},
    "只": {"d": "zhi3", "q": "zhi1", "m": "zhi1"},
    "行": {"v": "xing2", "n": "hang2", "q": "hang2", "a": "xing2"},
    "重": {"a": "zhong4", "d": "chong2", "v": "chong2"},
    "数": {"v": "shu3", "n": "shu4", "m": "shu4"},
    "背": {"v": "bei1", "n": "bei4"},
    "倒": {"d": "dao4", "v": "dao4"},
    "假": {"a": "jia3", "n": "jia4"},
    "空": {"a": "kong1", "n": "kong4"},
    "教": {"v": "jiao1", "n": "jiao4"},
    "了": {"u": "le5", "v": "le5"},
    "干": {"v": "gan4", "a": "gan1"},
    "弹": {"v": "tan2", "n": "dan4"},
    "量": {"v": "liang2", "n": "liang4"},
    "吐": {"v": "tu3"},
    "调": {"v": "tiao2"},
    "好": {"v": "hao3"},
    "和": {"c": "he2", "p": "he2"},
}
_INTERJECTIONS = {"啊": "a1", "哦": "o4", "哇": "wa1", "呀": "ya1", "诶": "ei2", "咦": "yi2"}
_RETURNED = "给钱书债款清你我他她它"


def _choose_reading(word: Word, before: Word | None, after: Word | None) -> None:
    """Correct a character that stands alone, by its part of speech and its neighbours."""
    char = word.text
    if len(char) != 1:
        return
    if before is None and after is None:
        word.syllables[0] = _INTERJECTIONS.get(char, word.syllables[0])
    reading = _BY_PART.get(char, {}).get(word.part[:1])
    chosen = _BY_NEIGHBOURS.get(char)
    reading = (chosen(word, before, after) if chosen else None) or reading
    called = before is None and after is not None and after.text.startswith(TITLES)
    if called or (before is not None and before.text.endswith("姓")):
        reading = SURNAMES.get(char, reading)
    if reading:
        word.syllables[0] = reading


def _choose_hai(word: Word, before: Word | None, after: Word | None) -> str:
    """还: still, or to give back."""
    if after is None or after.text[0] in "了吧吗呢":
        return "huan2" if before is not None else "hai2"
    return "huan2" if after.part[:1] == "n" or after.text[0] in _RETURNED else "hai2"


def _choose_de(word: Word, before: Word | None, after: Word | None) -> str:
    """得: must, to get, or the particle after a verb."""
    if after is not None and after.text[0] in "了到过出分奖病票":
        return "de2"
    if before is None or before.part[:1] in "rd" or before.text[-1] in "还也都就总非":
        return "de2" if before is not None and before.text[-1] in "不只" else "dei3"
    return "de5" if before.part[:1] in "vaui" else "dei3"


def _choose_di(word: Word, before: Word | None, after: Word | None) -> str | None:
    """地: the ground, or the particle before a verb."""
    if before is not None and after is not None and after.part[:1] in "vad":
        return "de5" if before.part[:1] in "dazioxv" else None
    return "di4"


def _choose_chang(word: Word, before: Word | None, after: Word | None) -> str | None:
    """长: long, or to grow."""
    if after is not None and (after.part.startswith("m") or after.text[0] in "发袍裙裤短"):
        return "chang2"
    grows = after is not None and after.text[0] in "大出得高在成了着满胖"
    very = before is not None and before.text[-1] in "很太最更多好真有么米"
    return "chang2" if very else "zhang3" if grows else None


def _choose_zhong(word: Word, before: Word | None, after: Word | None) -> str | None:
    """种: a kind, or to plant."""
    return "zhong4" if after is not None and after.text[0] in "在下地田花菜树植了的" else None


def _choose_liang(word: Word, before: Word | None, after: Word | None) -> str | None:
    """量: a quantity, or to measure."""
    return "liang2" if after is not None and after.text[0] in "一量了体血身出" else None


_BY_NEIGHBOURS: dict[str, Callable[[Word, Word | None, Word | None], str | None]] = {
    "还": _choose_hai,
    "得": _choose_de,
    "地": _choose_di,
    "长": _choose_chang,
    "种": _choose_zhong,
    "量": _choose_liang,
}
