"""Which language each piece of a mixed text is in, told by its script and its neighbours.

Knows nothing about pronunciation.
"""

import re
from typing import NamedTuple

_HAN = "㐀-䶿一-鿿豈-﫿〇々"
_KANA = "ぁ-ゖァ-ヺー"
_HANGUL = "가-힣ㄱ-ㅣᄀ-ᇿ"

# Digits and joints belong to a Latin word when they are written into it: GPT-4o, C++, don't, AT&T.
_LETTER = "A-Za-zÀ-ÖØ-öø-ɏ"
_LATIN_WORD = rf"[{_LETTER}][{_LETTER}0-9]*(?:['’&./_@+-]{{1,3}}[{_LETTER}0-9]+)*(?:\+\+|[+#])?"
_LATIN = rf"{_LATIN_WORD}(?:[ ]+{_LATIN_WORD})*[.?!,]*"
# A unit behind a number is said in the language of the number: 5kg, -3°C.
_UNIT = (
    r"(?:(?<=[0-9])|(?<=[0-9][ ])|(?<=°))"
    r"(?:km/h|m/s|kWh|kW|km|cm|mm|kg|mg|ml|mL|Hz|[mgLtCF])(?![A-Za-z0-9])[²³]?"
)
_EAST_ASIAN = rf"[{_HAN}{_KANA}]+|[{_HANGUL}]+"
_FOREIGN = {
    "en": re.compile(_EAST_ASIAN),
    **dict.fromkeys(
        ("zh", "yue", "ja", "ko"), re.compile(f"(?P<unit>{_UNIT})|{_LATIN}|{_EAST_ASIAN}")
    ),
}
_KANA_RUN = re.compile(f"[{_KANA}]+")
_PARTICLES = frozenset("はがをにでのともへ")
_ACRONYM = re.compile("[A-Z]{2,5}[.?!,]*")


class Piece(NamedTuple):
    """A stretch of text in one language."""

    language: str
    text: str


def segment(text: str, main: str) -> list[Piece]:
    """Cut a text where its language changes.

    Numbers, marks and spaces stay with ``main``; Chinese characters are Japanese where kana say so
    and Cantonese in a Cantonese text.
    """
    pieces: list[Piece] = []
    end = 0
    for match in _FOREIGN[main].finditer(text):
        if match.lastgroup == "unit":
            continue
        for language, start, stop in _languages(match.group(), main, text):
            if language == main:
                continue
            start, stop = match.start() + start, match.start() + stop
            pieces += [Piece(main, text[end:start]), Piece(language, text[start:stop])]
            end = stop
    pieces.append(Piece(main, text[end:]))
    return [piece for piece in pieces if piece.text.strip()]


def _languages(run: str, main: str, text: str) -> list[tuple[str, int, int]]:
    """The languages of a run in one script, with where each begins and ends in it."""
    whole = (0, len(run))
    if re.match(f"[{_HANGUL}]", run):
        return [("ko", *whole)]
    if not re.match(f"[{_HAN}{_KANA}]", run):
        return [("ja" if main == "ja" and _ACRONYM.fullmatch(run) else "en", *whole)]
    if main not in ("zh", "yue"):
        return [("ja" if main == "ja" or _KANA_RUN.search(text) else "zh", *whole)]
    kana = list(_KANA_RUN.finditer(run))
    if len(kana) > 1 and any(found.group() in _PARTICLES for found in kana):
        return [("ja", *whole)]  # 私は学生です
    return [("ja", *found.span()) for found in kana]
