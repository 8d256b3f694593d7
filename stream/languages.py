"""Which language each piece of a mixed text is in, told by its script and its neighbours.

Knows nothing about pronunciation.
"""

import re
from typing import NamedTuple

HAN = "㐀-䶿一-鿿豈-﫿〇々"
KANA = "ぁ-ゖァ-ヺー"
HANGUL = "가-힣ㄱ-ㅣᄀ-ᇿ"

# Digits and joints belong to a Latin word when they are written into it: GPT-4o, C++, don't, AT&T.
_LATIN = r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ0-9]*(?:(?:['’&./_@-]|(?<=[A-Za-z])\+)*[A-Za-zÀ-ɏ0-9]+)*\+{0,2}"
_LATIN_RUN = re.compile(rf"(?:(?<![\d.])\d+(?=[A-Za-z]{{1,3}}\b)(?!\w*[{HAN}]))?{_LATIN}(?:[ ]+{_LATIN})*[.?!,]*")
_KANA = re.compile(f"[{KANA}]")
_LETTER = re.compile(rf"[{HAN}{KANA}]+|[{HANGUL}]+")


class Piece(NamedTuple):
    """A stretch of text in one language."""

    language: str
    text: str


def segment(text: str, main: str) -> list[Piece]:
    """Cut a text where its language changes.

    Numbers, marks and spaces stay with ``main``; Chinese characters are Japanese beside kana and
    Cantonese in a Cantonese text.
    """
    pattern = _FOREIGN[main]
    pieces: list[Piece] = []
    end = 0
    for match in pattern.finditer(text):
        language = _language(match.group(), main)
        if language == main:
            continue
        pieces += [Piece(main, text[end : match.start()]), Piece(language, match.group())]
        end = match.end()
    pieces.append(Piece(main, text[end:]))
    return [piece for piece in pieces if piece.text.strip()]


def _language(text: str, main: str) -> str:
    if re.match(f"[{HANGUL}]", text):
        return "ko"
    if not re.match(f"[{HAN}{KANA}]", text):
        return "en"
    if _KANA.search(text) or main == "ja":
        return "ja"
    return main if main in ("zh", "yue") else "zh"


_FOREIGN = {
    "en": _LETTER,
    **{main: re.compile(rf"{_LATIN_RUN.pattern}|{_LETTER.pattern}") for main in ("zh", "yue", "ja", "ko")},
}
