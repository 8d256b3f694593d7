"""Generated speech as values: a chunk of audio and the times of the words in it.

Knows nothing about how speech is generated, nor about turns.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stop import StopFlag

Marks = Callable[[str], None]
"""Called by a stage, from any thread, at the moment that something named was reached."""

VoiceType = TypeVar("VoiceType", contravariant=True)


class PhoneTime(NamedTuple):
    """When a phoneme of a word is heard, counted as the word is; a mouth follows it."""

    symbol: str
    start_samples: int
    end_samples: int


@dataclass(frozen=True, slots=True)
class WordTime:
    """When a word is heard, counted from the start of the text it belongs to."""

    text: str
    start_samples: int
    end_samples: int
    phones: tuple[PhoneTime, ...] = ()
    """Its phonemes in order; none where they are not known."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The next piece of a text's audio.

    Each word of the text comes exactly once, in order, and no later than in the chunk that holds
    its last sample; its times are at the chunk's sample rate.
    """

    audio: AudioChunk
    words: tuple[WordTime, ...] = ()


class SpeechSynthesizer(Protocol[VoiceType]):
    """What a session asks of a synthesizer; `stream` runs in a thread of its own."""

    @property
    def sample_rate_hz(self) -> int:
        """The rate of every chunk."""
        ...

    def stream(
        self,
        text: str,
        voice: VoiceType,
        *,
        stop: StopFlag | None = None,
        marks: Marks | None = None,
    ) -> Iterator[SpeechChunk]:
        """Yield the speech of one sentence, chunk by chunk.

        Args:
            text: one sentence, or a clause of it.
            voice: whose voice.
            stop: looked at between two steps; when set, the stream ends.
            marks: told the names of `metrics.SYNTHESIS_MARKS` when they are reached.
        """
        ...
