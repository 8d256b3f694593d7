"""Measures of one utterance: is it understood, how does it sound, whose voice is it, how fast.

Each measure that cannot be taken here (no weights, no package) is left out of the result rather
than guessed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.evaluation.systems import Spoken, System
from selftalk.stream.listening.recognizer import Recognizer
from selftalk.stream.listening.wer import ErrorRate, error_rate
from selftalk.stream.sound.audio import AudioChunk

Rating = Callable[[AudioChunk], dict[str, float]]
"""Ratings of a recording by name, for example {"dnsmos_overall": 3.1}."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one utterance was like."""

    sentence: Sentence
    voice: str
    spoken: Spoken
    heard: str
    errors: ErrorRate
    ratings: dict[str, float] = field(default_factory=dict)


def measure(
    system: System,
    sentences: Sequence[Sentence],
    recognizer: Recognizer,
    ratings: Sequence[Rating] = (),
) -> Iterator[Result]:
    """Let a system say the sentences, its voices taking turns, and yield what each was like."""
    for index, sentence in enumerate(sentences):
        voice = system.voices[index % len(system.voices)]
        spoken = system.say(sentence, voice)
        heard = recognizer.transcribe(spoken.audio, sentence.language).text
        rated = {name: value for rate in ratings for name, value in rate(spoken.audio).items()}
        errors = error_rate(sentence.text, heard, sentence.language)
        yield Result(sentence, voice, spoken, heard, errors, rated)
