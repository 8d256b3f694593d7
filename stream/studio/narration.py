"""Narration: a book in a voice, paragraph by paragraph, with the time of everything in it.

Paragraphs that were read before come from the cache. Knows nothing about file formats.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from selftalk.stream.errors import TextError
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.studio.book import Book
from selftalk.stream.studio.paragraphs import (
    ParagraphCache,
    SpokenSentence,
    SpokenWord,
    key_of,
    pieces_of,
    silence,
    speak,
)
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.trust.labels import DEFAULT_LABELS, LabelsConfig, notice_in, opening

PARAGRAPH_PAUSE_SECONDS = 0.5
HEADING_PAUSE_SECONDS = 0.9
CHAPTER_PAUSE_SECONDS = 1.6

Tell = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading has come."""

    chapter: int
    chapters: int
    done_characters: int
    characters: int
    fresh_characters: int
    """Read now, not taken from the cache: those that take time."""


@dataclass(frozen=True, slots=True)
class ChapterStart:
    """Where a chapter begins."""

    title: str
    start_samples: int


@dataclass
class Narration:
    """Reads a book; while `stream` runs, `chapters` and `sentences` are filled."""

    book: Book
    synthesizer: Synthesizer
    voice: Voice
    options: SynthesisOptions
    cache: ParagraphCache
    labels: LabelsConfig = DEFAULT_LABELS
    tell: Tell = lambda _progress: None
    chapters: list[ChapterStart] = field(default_factory=list)
    sentences: list[SpokenSentence] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    position_samples: int = 0
    _done: int = 0
    _fresh: int = 0

    def stream(self) -> Iterator[Float32Array]:
        """Yield the samples of the whole book, at the synthesizer's rate.

        Raises:
            TextError: there is nothing in the book that can be spoken.
        """
        rate_hz = self.synthesizer.sample_rate_hz
        cue = opening(rate_hz, self.labels)
        if cue is not None:
            yield self._counted(cue.samples)
        for sentence in notice_in(self.options.language, self.labels):
            yield from self._paragraph(sentence, HEADING_PAUSE_SECONDS)
        for number, chapter in enumerate(self.book.chapters, start=1):
            if number > 1:
                yield self._counted(silence(CHAPTER_PAUSE_SECONDS, rate_hz))
            title = chapter.title or (self.book.title if number == 1 else f"{number}")
            self.chapters.append(ChapterStart(title, self.position_samples))
            for paragraph, pause in _spoken(chapter.title, chapter.paragraphs):
                *firsts, last = pieces_of(paragraph)
                for piece, after in [*((first, 0.0) for first in firsts), (last, pause)]:
                    yield from self._paragraph(piece, after)
                    self._done += len(piece)
                    self._report(number)
        if not self.sentences:
            raise TextError("the text holds nothing that can be spoken")

    def _paragraph(self, text: str, pause_seconds: float) -> Iterator[Float32Array]:
        key = key_of(text, self.synthesizer, self.voice, self.options)
        known = self.cache.get(key)
        if known is None:
            known = speak(text, self.synthesizer, self.voice, self.options)
            self.cache.put(key, *known)
            self._fresh += len(text)
        audio, told = known
        self.keys.append(key)
        if not len(audio):
            return
        self.sentences += [_moved(one, self.position_samples) for one in told.sentences]
        yield self._counted(audio.samples)
        yield self._counted(silence(pause_seconds, audio.sample_rate_hz))

    def _counted(self, samples: Float32Array) -> Float32Array:
        self.position_samples += len(samples)
        return np.asarray(samples, np.float32)

    def _report(self, chapter: int) -> None:
        count = len(self.book.chapters)
        self.tell(Progress(chapter, count, self._done, self.book.characters, self._fresh))


def _spoken(title: str, paragraphs: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """What is read of a chapter, and the pause after each."""
    if title:
        yield title, HEADING_PAUSE_SECONDS
    for paragraph in paragraphs:
        yield paragraph, PARAGRAPH_PAUSE_SECONDS


def _moved(sentence: SpokenSentence, samples: int) -> SpokenSentence:
    words = tuple(
        SpokenWord(word.text, word.start_samples + samples, word.end_samples + samples)
        for word in sentence.words
    )
    return SpokenSentence(
        sentence.text, sentence.start_samples + samples, sentence.end_samples + samples, words
    )
