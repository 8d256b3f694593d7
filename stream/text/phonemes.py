"""Phonemes: what is to be spoken, as symbols that remember the written words they come from.

Knows nothing about any language.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Spoken(NamedTuple):
    """A written word with its symbols, or a punctuation mark (``word`` is empty)."""

    word: str
    symbols: tuple[str, ...]
    characters: str = ""
    """What Mandarin reads, number words written out: each has as many of the symbols."""


class Written(NamedTuple):
    """A written piece and the text that is said for it; a mark has no ``written``."""

    written: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Phonemes:
    """Symbols of a text, each with the written word it belongs to."""

    symbols: tuple[str, ...]
    """GPT-SoVITS v2 symbols."""
    word_index: tuple[int, ...]
    """For each symbol the index of its word in ``words``; -1 for punctuation."""
    words: tuple[str, ...]
    """The written words; Chinese and Cantonese: single characters."""
    language: str
    """``en``, ``zh``, ``ja``, ``ko`` or ``yue``; of a mixed text, the main language."""
    characters: tuple[str, ...] = ()
    """What Mandarin reads, cut where another language stands between."""
    character_index: tuple[int, ...] = ()
    """For each symbol the index of its character in all ``characters`` together, or -1."""

    def __post_init__(self) -> None:
        assert len(self.symbols) == len(self.word_index), (self.symbols, self.word_index)
        assert len(self.character_index) in (0, len(self.symbols)), self.character_index

    def __len__(self) -> int:
        return len(self.symbols)


_LONGEST_PHRASE = 400  # characters; the libraries have limits of their own


def by_phrase(
    pieces: Iterable[Written], speak_phrase: Callable[[Sequence[Written]], list[Spoken]]
) -> list[Spoken]:
    """Speak what stands between two marks together, because sounds there change one another."""
    spoken: list[Spoken] = []
    phrase: list[Written] = []
    length = 0
    for piece in pieces:
        length += len(piece.spoken)
        if piece.written and length < _LONGEST_PHRASE:
            phrase.append(piece)
            continue
        spoken += speak_phrase(phrase) if phrase else []
        phrase = [piece] if piece.written else []
        length = len(piece.spoken)
        if not piece.written:
            spoken.append(Spoken("", (piece.spoken,)))
    return spoken + (speak_phrase(phrase) if phrase else [])


def join(spoken: Iterable[Spoken], language: str) -> Phonemes:
    """Lay spoken words and marks one after another."""
    symbols: list[str] = []
    word_index: list[int] = []
    words: list[str] = []
    characters: list[str] = []
    character_index: list[int] = []
    for word, word_symbols, read in spoken:
        if not word_symbols:
            continue
        if word:
            words.append(word)
        symbols.extend(word_symbols)
        word_index.extend([len(words) - 1 if word else -1] * len(word_symbols))
        if not read:
            character_index.extend([-1] * len(word_symbols))
            continue
        if not character_index or character_index[-1] < 0:
            characters.append("")
        before = sum(map(len, characters))
        characters[-1] += read
        each = len(word_symbols) // len(read)
        character_index.extend(before + place // each for place in range(len(word_symbols)))
    return Phonemes(
        tuple(symbols), tuple(word_index), tuple(words), language,
        tuple(characters), tuple(character_index),
    )  # fmt: skip
