"""Text → phonemes: the one entry, which hands each piece to the front end of its language.

Knows nothing about voices and models; a front end is loaded when its language is first spoken.
"""

import re
import unicodedata
from collections.abc import Iterator
from importlib import import_module

from selftalk.stream.errors import TextError
from selftalk.stream.text.languages import Piece, segment
from selftalk.stream.text.phonemes import Phonemes, Spoken, join
from selftalk.stream.text.pronunciations import Pronunciations

__all__ = ["LANGUAGES", "Phonemes", "Pronunciations", "phonemize", "preload"]

LANGUAGES = ("en", "zh", "ja", "ko", "yue")

# Characters that stand for others: ① Ⅳ Ａ ｱ ㈱ ㎏; full-width marks stay what they are.
_COMPATIBLE = re.compile(
    "[\u2150-\u218f\u3200-\u33ff\uff02-\uff07\uff0a\uff0b\uff0d-\uff19\uff1c-\uff1e"
    "\uff20-\uff5d\uff5f-\uffdc]+"
)
_ENCLOSED = re.compile("[\u2460-\u24ff]")
_PLAIN = {"㎡": "m²", "㎥": "m³", "℃": "°C", "℉": "°F", "½": " 1/2", "¼": " 1/4", "¾": " 3/4"}
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_CONTROLS = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ud800-\udfff]")
_COLON_IN_TIME = re.compile("(?<=[0-9])：(?=[0-9])")


def phonemize(
    text: str, language: str, *, pronunciations: Pronunciations | None = None
) -> Phonemes:
    """Turn written text into phonemes.

    Args:
        text: Anything; what cannot be spoken is left out.
        language: ``en``, ``zh``, ``ja``, ``ko`` or ``yue``: the main language of the text. Words of
            other languages inside are said by those languages' rules.
        pronunciations: The user's own words, which go before all rules.

    Raises:
        TextError: The language is unknown, or its package is not installed.
    """
    if language not in LANGUAGES:
        raise TextError(f"unknown language {language!r}; known: {', '.join(LANGUAGES)}")
    return join(_speak(clean(text), language, pronunciations or Pronunciations({})), language)


def preload(language: str) -> None:
    """Load a language's dictionaries now, so that the first sentence need not wait for them."""
    phonemize(_SAMPLES[language], language)


_SAMPLES = {"en": "hello", "zh": "你好", "ja": "はい", "ko": "네", "yue": "你好"}


def clean(text: str) -> str:
    """The same text without controls and with plain forms of compatibility characters."""
    text = unicodedata.normalize("NFC", _CONTROLS.sub(" ", _INVISIBLE.sub("", text)))
    for char, plain in _PLAIN.items():
        text = text.replace(char, plain)
    text = _ENCLOSED.sub(lambda found: f" {_compatible(found.group())} ", text)
    text = _COMPATIBLE.sub(lambda found: _compatible(found.group()), text)
    return _COLON_IN_TIME.sub(":", text)


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("⁄", "/")


def _speak(text: str, language: str, pronunciations: Pronunciations) -> Iterator[Spoken]:
    for part in pronunciations.split(text):
        if isinstance(part, Spoken):
            yield part
            continue
        for piece in segment(part, language):
            yield from _front_end(piece)


def _front_end(piece: Piece) -> list[Spoken]:
    module = import_module(f"selftalk.stream.text.g2p_{piece.language}")
    spoken: list[Spoken] = module.speak(piece.text)
    return spoken
