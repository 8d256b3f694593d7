"""Transcription of recordings of any length: cut at pauses, then written down piece by piece.

A three-hour file is read as a stream, so memory stays small and the first line comes soon.
Knows nothing about conversations.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selftalk.stream.audio import AudioChunk
from selftalk.stream.events import SpeechEnded
from selftalk.stream.files import Recording
from selftalk.stream.io import SAMPLE_RATE_HZ
from selftalk.stream.recognizer import Recognizer
from selftalk.stream.turns import TurnConfig, TurnDetector, TurnEvent
from selftalk.stream.vad import Vad

READ_SAMPLES = SAMPLE_RATE_HZ  # a second at a time
LONGEST_PIECE_MS = 25_000  # recognisers lose the thread of longer ones
CUTTING = TurnConfig(longest_speech_ms=LONGEST_PIECE_MS)


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said between two pauses."""

    start_seconds: float
    end_seconds: float
    text: str


def transcribe_file(
    path: str | Path, recognizer: Recognizer, vad: Vad, language: str | None = None
) -> Iterator[Segment]:
    """Yield what a recording says, one piece between pauses after another.

    Raises:
        AudioFileError: the file is missing, unreadable, or holds no samples.
        RecognizerError: the recogniser does not know the language.
    """
    for ended in utterances(path, vad):
        transcript = recognizer.transcribe(ended.audio, language)
        if transcript.text:
            end = ended.at_samples / SAMPLE_RATE_HZ
            yield Segment(max(0.0, end - ended.audio.duration_seconds), end, transcript.text)


def utterances(path: str | Path, vad: Vad) -> Iterator[SpeechEnded]:
    """Yield the stretches of speech in a recording."""
    recording = Recording(path)
    detector = TurnDetector(vad, CUTTING)
    try:
        while not recording.ended:
            samples = recording.read(READ_SAMPLES)
            if len(samples):
                yield from _ended(detector.push(AudioChunk(samples, SAMPLE_RATE_HZ)))
        yield from _ended(detector.flush())
    finally:
        recording.close()


def _ended(events: list[TurnEvent]) -> Iterator[SpeechEnded]:
    return (event for event in events if isinstance(event, SpeechEnded))
