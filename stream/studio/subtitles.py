"""Subtitles: spoken sentences as lines on a screen, SRT and WebVTT.

A sentence that is too long for two lines is cut between words. Knows nothing about speech.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from selftalk.stream.studio.paragraphs import SpokenSentence

LONGEST_CUE = 84  # two lines of 42
WIDE_FACTOR = 2
SHORTEST_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown at once."""

    start_seconds: float
    end_seconds: float
    text: str


def cues_of(sentences: Iterable[SpokenSentence], sample_rate_hz: int) -> list[Cue]:
    """The cues of spoken sentences, in order, none longer than two lines if words are known."""
    cues = [cue for sentence in sentences for cue in _cues(sentence, sample_rate_hz)]
    following = [cue.start_seconds for cue in cues[1:]] + [float("inf")]
    return [
        Cue(
            cue.start_seconds,
            min(max(cue.end_seconds, cue.start_seconds + SHORTEST_SECONDS), next_start),
            cue.text,
        )
        for cue, next_start in zip(cues, following, strict=True)
    ]


def as_srt(cues: Sequence[Cue]) -> str:
    """The cues as a SubRip file."""
    return "".join(
        f"{number}\n{_clock(cue.start_seconds, ',')} --> {_clock(cue.end_seconds, ',')}\n"
        f"{cue.text}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def as_vtt(cues: Sequence[Cue]) -> str:
    """The cues as a WebVTT file."""
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start_seconds, '.')} --> {_clock(cue.end_seconds, '.')}\n"
        f"{_escaped(cue.text)}\n\n"
        for cue in cues
    )


def _cues(sentence: SpokenSentence, rate_hz: int) -> Iterator[Cue]:
    """Cut a sentence where a cue is full; each begins with its first word."""
    places = _places(sentence)
    first = 0
    for index in range(1, len(places)):
        if _width(sentence.text[places[first] : _end(sentence, places, index)]) > LONGEST_CUE:
            yield _cue(sentence, places, first, index, rate_hz)
            first = index
    yield _cue(sentence, places, first, len(places), rate_hz)


def _cue(sentence: SpokenSentence, places: list[int], first: int, last: int, rate_hz: int) -> Cue:
    words = sentence.words
    start = words[first].start_samples if words else sentence.start_samples
    ends_here = last == len(places)
    end = words[last - 1].end_samples if words else sentence.end_samples
    text = sentence.text[places[first] if first else 0 : None if ends_here else places[last]]
    return Cue(start / rate_hz, end / rate_hz, text.strip())


def _places(sentence: SpokenSentence) -> list[int]:
    """Where each word begins in the text; one that is written otherwise is where the last ended."""
    lowered, cursor, places = sentence.text.lower(), 0, []
    for word in sentence.words:
        found = lowered.find(word.text.lower(), cursor)
        near = 0 <= found <= cursor + len(word.text) + 20
        places.append(found if near else cursor)
        cursor = found + len(word.text) if near else cursor
    return places or [0]


def _end(sentence: SpokenSentence, places: list[int], index: int) -> int:
    return places[index + 1] if index + 1 < len(places) else len(sentence.text)


def _width(text: str) -> int:
    return sum(WIDE_FACTOR if ord(character) > 0x2E7F else 1 for character in text.strip())


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
