"""Transcription of recordings of any length: cut at pauses, then written down piece by piece.

A three-hour file is read as a stream, so memory stays small and the first line comes soon.
Knows nothing about conversations.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from selftalk.stream.dialogue.events import SpeechEnded
from selftalk.stream.dialogue.turns import TurnConfig, TurnDetector, TurnEvent
from selftalk.stream.listening.recognizer import Recognizer
from selftalk.stream.listening.vad import Vad
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.files import Recording
from selftalk.stream.sound.io import SAMPLE_RATE_HZ
from selftalk.stream.stop import StopFlag

READ_SAMPLES = SAMPLE_RATE_HZ  # a second at a time
LONGEST_PIECE_MS = 25_000  # recognisers lose the thread of longer ones
CUTTING = TurnConfig(longest_speech_ms=LONGEST_PIECE_MS)


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said between two pauses."""

    start_seconds: float
    end_seconds: float
    text: str
    confidence: float = 1.0
    """Of the recogniser; see `Transcript`."""


def transcribe_file(
    path: str | Path, recognizer: Recognizer, vad: Vad, language: str | None = None
) -> Iterator[Segment]:
    """Yield what a recording says, one piece between pauses after another.

    Raises:
        AudioFileError: the file is missing, unreadable, or holds no samples.
        RecognizerError: the recogniser does not know the language.
    """
    return transcribe(Recording(path), recognizer, TurnDetector(vad, CUTTING), language)


def transcribe(
    recording: Recording,
    recognizer: Recognizer,
    detector: TurnDetector,
    language: str | None = None,
    *,
    stop: StopFlag | None = None,
    recognizing: AbstractContextManager[object] | None = None,
) -> Iterator[Segment]:
    """Yield what an open recording says; it is closed at the end.

    Args:
        recording: read once, as a stream.
        recognizer: who writes it down.
        detector: finds the pauses; see `CUTTING`.
        language: a code; None for the recogniser's own.
        stop: looked at once for each second of sound; raises `Stopped`.
        recognizing: held while the recogniser works, where others want it too.

    Raises:
        AudioFileError: the recording is damaged.
        RecognizerError: the recogniser does not know the language.
    """
    for ended in utterances(recording, detector, stop or StopFlag()):
        with recognizing or nullcontext():
            transcript = recognizer.transcribe(ended.audio, language, stop)
        if transcript.text:
            end = ended.at_samples / SAMPLE_RATE_HZ
            start = max(0.0, end - ended.audio.duration_seconds)
            yield Segment(start, end, transcript.text, transcript.confidence)


def utterances(
    recording: Recording, detector: TurnDetector, stop: StopFlag
) -> Iterator[SpeechEnded]:
    """Yield the stretches of speech in a recording."""
    try:
        while not recording.ended:
            stop.raise_if_set()
            samples = recording.read(READ_SAMPLES)
            if len(samples):
                yield from _ended(detector.push(AudioChunk(samples, SAMPLE_RATE_HZ)))
        yield from _ended(detector.flush())
    finally:
        recording.close()


def _ended(events: list[TurnEvent]) -> Iterator[SpeechEnded]:
    return (event for event in events if isinstance(event, SpeechEnded))
