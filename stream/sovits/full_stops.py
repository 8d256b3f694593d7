"""Full stops that a model needs to hear: a text without them loses its first or last sounds."""

from dataclasses import replace

from selftalk.stream.text.phonemes import Phonemes
from selftalk.stream.text.symbols import PUNCTUATION

FULL_STOP = "."
FEWEST_PHONES = 6
"""Shorter texts get a full stop in front, or their beginning would be swallowed."""


def completed(phonemes: Phonemes) -> Phonemes:
    """The text as the model is given it: short ones begin with a full stop, all end in a mark."""
    whole = ended(phonemes)
    return begun(whole) if len(whole) < FEWEST_PHONES else whole


def ended(phonemes: Phonemes) -> Phonemes:
    """The text with a mark at its end."""
    if phonemes.symbols[-1] in PUNCTUATION:
        return phonemes
    characters, index = phonemes.characters, phonemes.character_index
    last = index[-1:]
    if last and last[0] >= 0:  # BERT reads it too
        characters = (*characters[:-1], characters[-1] + FULL_STOP)
        last = (last[0] + 1,)
    return replace(
        phonemes,
        symbols=(*phonemes.symbols, FULL_STOP),
        word_index=(*phonemes.word_index, -1),
        characters=characters,
        character_index=index + last,
    )


def begun(phonemes: Phonemes) -> Phonemes:
    """The text with a full stop in front."""
    characters, index = phonemes.characters, phonemes.character_index
    first = index[:1]
    if first and first[0] >= 0:
        characters = (FULL_STOP + characters[0], *characters[1:])
        index = tuple(place + 1 if place >= 0 else place for place in index)
    return replace(
        phonemes,
        symbols=(FULL_STOP, *phonemes.symbols),
        word_index=(-1, *phonemes.word_index),
        characters=characters,
        character_index=first + index,
    )
