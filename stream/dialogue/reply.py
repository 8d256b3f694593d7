"""Reply: a text as it is being spoken, and how much of it was heard up to a sample.

Knows nothing about who speaks, who listens, and why it stopped. All positions are samples of
the reply, counted from its first sample, sentence after sentence.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from selftalk.stream.synthesis.speech import WordTime

# Scripts written without spaces: kana, CJK ideographs, their punctuation and full-width forms.
_UNSPACED_RANGE = r"\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff60"
_UNSPACED = re.compile(f"[{_UNSPACED_RANGE}]")
_PLAIN_WORD = re.compile(rf"(?=\w)[{_UNSPACED_RANGE}]|[^\W\d_{_UNSPACED_RANGE}]+")


@dataclass(slots=True)
class _Sentence:
    text: str
    first_sample: int = 0
    samples: int = 0
    finished: bool = False
    search_from: int = 0
    unplaced_words: int = 0
    word_ends: list[tuple[int, int]] = field(default_factory=list)  # (sample, character)


class Reply:
    """The sentences of one reply, their audio lengths, and the end of each word in both."""

    def __init__(self) -> None:
        self._sentences: list[_Sentence] = []
        self._samples = 0
        self.played_samples = 0

    @property
    def samples(self) -> int:
        """Length of the audio generated so far."""
        return self._samples

    @property
    def text(self) -> str:
        """The whole reply as written, heard or not."""
        return join_text(sentence.text for sentence in self._sentences)

    def add_sentence(self, text: str) -> int:
        """Append a sentence that is going to be spoken; return its index."""
        self._sentences.append(_Sentence(text))
        return len(self._sentences) - 1

    def add_speech(self, index: int, samples: int, words: Iterable[WordTime] = ()) -> None:
        """Append audio of a sentence; sentences are generated one after the other.

        Args:
            index: of the sentence.
            samples: length of the audio.
            words: that became known with it, timed from the start of the sentence.
        """
        sentence = self._sentences[index]
        if not sentence.samples:
            sentence.first_sample = self._samples
        sentence.samples += samples
        self._samples += samples
        for word in words:
            _place_word(sentence, word)

    def finish_sentence(self, index: int) -> None:
        """Say that no more audio of a sentence will come."""
        self._sentences[index].finished = True

    def heard(self, played_samples: int | None = None) -> str:
        """Return the text up to the last word whose end was played.

        A sentence without word times counts once it was played to its end; one that was never
        spoken does not count.

        Args:
            played_samples: how much was played; by default what the reply was told last.
        """
        played = self.played_samples if played_samples is None else played_samples
        return join_text(_heard_part(sentence, played) for sentence in self._sentences)

    def unheard(self) -> dict[int, str]:
        """Return what was not heard yet by the index of its sentence, without the unspeakable."""
        rests = {
            index: sentence.text[len(_heard_part(sentence, self.played_samples)) :]
            for index, sentence in enumerate(self._sentences)
            if sentence.samples or not sentence.finished
        }
        said = {index: rest.lstrip(" ,;:，；：、") for index, rest in rests.items()}
        return {index: rest for index, rest in said.items() if re.search(r"\w", rest)}


def join_text(pieces: Iterable[str]) -> str:
    """Join sentences or messages, with a space only where the script uses spaces."""
    joined = ""
    for piece in filter(None, pieces):
        spaced = joined and not (_UNSPACED.match(joined[-1]) or _UNSPACED.match(piece[0]))
        joined += f" {piece}" if spaced else piece
    return joined


def _heard_part(sentence: _Sentence, played_samples: int) -> str:
    played = played_samples - sentence.first_sample
    if not sentence.samples or played <= 0:
        return ""
    if sentence.finished and played >= sentence.samples:
        return sentence.text
    ends = [character for sample, character in sentence.word_ends if sample <= played]
    return sentence.text[: max(ends, default=0)]


def _place_word(sentence: _Sentence, word: WordTime) -> None:
    """Note where a word ends in the written text.

    A word that is not written as it is spoken ("10" as "ten") has no place of its own and goes
    with the next one that has. It must not be found further on instead, so no more plain words
    are passed over than there were words without a place.
    """
    written = re.escape(word.text)
    if not _UNSPACED.search(word.text):
        written = rf"(?<!\w){written}(?!\w)"
    found = re.compile(written, re.IGNORECASE).search(sentence.text, sentence.search_from)
    passed_over = sentence.text[sentence.search_from : found.start() if found else None]
    if not found or len(_PLAIN_WORD.findall(passed_over)) > sentence.unplaced_words:
        sentence.unplaced_words += 1
        return
    sentence.unplaced_words = 0
    sentence.search_from = found.end()
    sentence.word_ends.append((word.end_samples, found.end()))
