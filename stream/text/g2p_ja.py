"""Japanese → phonemes with pitch marks, by Open JTalk.

``[`` is a rise and ``]`` a fall of pitch; ``UNK`` divides accent phrases, because that is what the
official front end makes of its mark for them, and what its checkpoints have learned. Knows nothing
about other languages inside; ``text`` hands those on.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from selftalk.stream.errors import TextError
from selftalk.stream.text.normalize_ja import normalize
from selftalk.stream.text.phonemes import Spoken, Written, by_phrase
from selftalk.stream.text.symbols import JAPANESE, PITCH_FALL, PITCH_RISE, UNKNOWN

ACCENT_BOUNDARY = UNKNOWN


@cache
def _openjtalk() -> Any:
    try:
        import pyopenjtalk
    except ImportError as error:
        raise TextError(
            "Japanese needs the package pyopenjtalk-plus: pip install 'selftalk[text]'"
        ) from error
    # Its Sudachi call is deprecated; the first word with two readings makes that call.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"pyopenjtalk\.")
    pyopenjtalk.g2p_mapping_prosody("上に行く")
    return pyopenjtalk


def speak(text: str) -> list[Spoken]:
    """Phonemes of Japanese text, morpheme by morpheme (a number is one word)."""
    return by_phrase(normalize(text), _speak_phrase)


def _speak_phrase(phrase: Sequence[Written]) -> list[Spoken]:
    text = "".join(piece.spoken for piece in phrase)
    owners = [index for index, piece in enumerate(phrase) for _ in piece.spoken]
    morphemes = _openjtalk().g2p_mapping_prosody(text)
    spoken: list[Spoken] = []
    last_owner = -1
    for morpheme, symbols in zip(morphemes, _with_pitch(morphemes), strict=True):
        start, end = morpheme["char_span"]
        owned = owners[start:end]
        written = "".join(phrase[at].written for at in sorted(set(owned)) if at > last_owner)
        last_owner = max([last_owner, *owned])
        if written or not spoken:
            spoken.append(Spoken(written, symbols))
        else:  # a further morpheme of the same written number
            spoken[-1] = Spoken(spoken[-1].word, spoken[-1].symbols + symbols)
    return spoken


def _with_pitch(morphemes: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    """The symbols of each morpheme; a pitch mark stands before the phoneme that it changes."""
    pitch = None
    for morpheme in morphemes:
        symbols: list[str] = []
        for phoneme in morpheme["phonemes"]:
            if phoneme["kind"] == "AccentPhraseBoundary":
                symbols.append(ACCENT_BOUNDARY)
                pitch = None
            if phoneme["kind"] != "Phoneme" or phoneme["pitch"] is None:
                continue
            if pitch is not None and phoneme["pitch"] != pitch:
                symbols.append(PITCH_RISE if phoneme["pitch"] == "High" else PITCH_FALL)
            pitch = phoneme["pitch"]
            symbols += _symbols(phoneme["phoneme"])
        yield tuple(symbols)


def _symbols(phoneme: str) -> list[str]:
    """A phoneme in the official symbols: no voiceless vowels, rare consonants in two parts."""
    voiced = phoneme.lower() if phoneme in "AEIOU" else phoneme
    if voiced in JAPANESE:
        return [voiced]
    return [part for part in voiced if part in JAPANESE]
