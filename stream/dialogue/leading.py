"""How a conversation is led from outside: what a VoiceAgent is told by a client of the user's.

Values only, as in `events.py`.
"""

from dataclasses import dataclass

from selftalk.stream.sound.audio import AudioChunk


@dataclass(frozen=True, slots=True)
class UtteranceGiven:
    """The user has finished, and somebody else found where: a key was released."""

    audio: AudioChunk
    answer: bool = True
    """Whether it is to be answered, or only to be written down."""


@dataclass(frozen=True, slots=True)
class SpeechDiscarded:
    """What the user is saying is not wanted after all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Reply to the conversation as it is; transcripts still to come are waited for."""

    voiced: bool = True


@dataclass(frozen=True, slots=True)
class SetManner:
    """How to treat the user's speech from now on."""

    answer: bool = True
    """Whether utterances are answered without being asked to."""
    interrupt: bool = True
    """Whether speech cuts a reply."""
    voiced: bool = True
    """Whether replies are spoken, or only written."""
