"""Text → phonemes: the one entry, which hands each piece to the front end of its language.

Knows nothing about voices and models; front ends are loaded when their language is first spoken.
"""

from importlib import import_module

from selftalk.stream.errors import TextError
from selftalk.stream.phonemes import Phonemes, Spoken, join

__all__ = ["LANGUAGES", "Phonemes", "phonemize"]

LANGUAGES = ("en", "zh", "ja", "ko", "yue")


def phonemize(text: str, language: str) -> Phonemes:
    """Turn written text into phonemes.

    Args:
        text: Anything; what cannot be spoken is left out.
        language: ``en``, ``zh``, ``ja``, ``ko`` or ``yue``: the main language of the text.
    """
    if language not in LANGUAGES:
        raise TextError(f"unknown language {language!r}; known: {', '.join(LANGUAGES)}")
    return join(_speak(text, language), language)


def _speak(text: str, language: str) -> list[Spoken]:
    spoken: list[Spoken] = import_module(f"selftalk.stream.g2p_{language}").speak(text)
    return spoken
