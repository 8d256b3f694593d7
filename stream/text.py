"""Text → phonemes: the one entry, which hands each piece to the front end of its language.

Knows nothing about voices and models; front ends are loaded when their language is first spoken.
"""

from importlib import import_module

from selftalk.stream.errors import TextError
from selftalk.stream.languages import Piece, segment
from selftalk.stream.phonemes import Phonemes, Spoken, join

__all__ = ["LANGUAGES", "Phonemes", "phonemize"]

LANGUAGES = ("en", "zh", "ja", "ko", "yue")


def phonemize(text: str, language: str) -> Phonemes:
    """Turn written text into phonemes.

    Args:
        text: Anything; what cannot be spoken is left out.
        language: ``en``, ``zh``, ``ja``, ``ko`` or ``yue``: the main language of the text. Words of
            other languages inside are said by those languages' rules.
    """
    if language not in LANGUAGES:
        raise TextError(f"unknown language {language!r}; known: {', '.join(LANGUAGES)}")
    pieces = segment(text, language)
    return join((word for piece in pieces for word in _speak(piece)), language)


def _speak(piece: Piece) -> list[Spoken]:
    front_end = import_module(f"selftalk.stream.g2p_{piece.language}")
    spoken: list[Spoken] = front_end.speak(piece.text)
    return spoken
