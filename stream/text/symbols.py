"""The phoneme symbols of GPT-SoVITS as ordered tables: a symbol's id is its place in the table.

The order is part of the checkpoint format: rows of a trained text embedding are looked up by these
ids. Knows nothing about text or languages' rules.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

PAD = "_"
UNKNOWN = "UNK"
PUNCTUATION = ("!", "?", "…", ",", ".", "-")
PITCH_RISE, PITCH_FALL = "[", "]"
KOREAN_SPACE, KOREAN_PAUSE = "空", "停"

CHINESE_INITIALS = tuple("AA EE OO b c ch d f g h j k l m n p q r s sh t w x y z zh".split())
CHINESE_FINALS = tuple(
    "E En a ai an ang ao e ei en eng er i i0 ia ian iang iao ie in ing iong ir iu "
    "o ong ou u ua uai uan uang ui un uo v van ve vn".split()
)
JAPANESE = tuple(
    "I N U a b by ch cl d dy e f g gy h hy i j k ky m my n ny o p py r ry s sh t ts u v w y "
    "z".split()
)
ARPABET_CONSONANTS = tuple("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split())
ARPABET_VOWELS = tuple("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
KOREAN = tuple(
    "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎㄲㄸㅃㅆㅉㅏㅓㅗㅜㅡㅣㅐㅔ" + KOREAN_SPACE + KOREAN_PAUSE
)
CANTONESE_PREFIX = "Y"
CANTONESE_INITIALS = tuple("b c d f g gw h j k kw l m n ng s t w z".split())
CANTONESE_FINALS = tuple(
    "a aa aai aak aam aan aang aap aat aau ai ak am an ang ap at au e ei ek eng eoi eon eot "
    "g i ik im in ing ip it iu k m n o oe oek oeng oi ok on ong ot ou p t "
    "u ui uk un ung ut yu yun yut".split()
)
# The official list was collected from data, so some finals also stand there without a tone.
_CANTONESE_BARE_FINALS = tuple("a aa ai ak au e g k n o oi ok on ou p t uk".split())


def _toned(finals: Iterable[str], tones: str) -> list[str]:
    return [final + tone for final in finals for tone in tones]


def _table_v1() -> tuple[str, ...]:
    arpabet = [*ARPABET_CONSONANTS, *_toned(ARPABET_VOWELS, "012"), "ER", "IH"]
    chinese = [*CHINESE_INITIALS, *_toned(CHINESE_FINALS, "12345")]
    marks = [PAD, *PUNCTUATION, "SP", "SP2", "SP3", UNKNOWN]
    return tuple(sorted({*chinese, *JAPANESE, *arpabet, *marks}))


def _cantonese() -> list[str]:
    parts = [
        *CANTONESE_INITIALS,
        *_CANTONESE_BARE_FINALS,
        *_toned(CANTONESE_FINALS, "123456"),
    ]
    return sorted({CANTONESE_PREFIX + part for part in parts})


SYMBOLS_V1: tuple[str, ...] = _table_v1()
SYMBOLS_V2: tuple[str, ...] = (
    *SYMBOLS_V1,
    PITCH_RISE,
    PITCH_FALL,
    *sorted(KOREAN),
    *_cantonese(),
)


@cache
def _ids(table: tuple[str, ...]) -> dict[str, int]:
    return {symbol: index for index, symbol in enumerate(table)}


def symbol_ids(
    symbols: Iterable[str], table: tuple[str, ...] = SYMBOLS_V2
) -> npt.NDArray[np.int64]:
    """Look symbols up in a table; what the table lacks becomes ``UNK``.

    Args:
        symbols: Phoneme symbols.
        table: ``SYMBOLS_V1``, ``SYMBOLS_V2`` or the table of a bundle.

    Returns:
        (N,) int64 ids.
    """
    ids = _ids(table)
    unknown = ids[UNKNOWN]
    return np.array([ids.get(symbol, unknown) for symbol in symbols], np.int64)
