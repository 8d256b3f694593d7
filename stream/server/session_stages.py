"""The shared recogniser and judge of pauses as one session wants them.

Knows nothing about messages; settings may change at any moment and count from the next call on.
"""

from dataclasses import replace

from selftalk.stream.listening.end_of_turn import EndOfTurn
from selftalk.stream.listening.recognizer import Recognizer, Transcript
from selftalk.stream.server.answering import Answering, ChosenVoice
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stages import Stages
from selftalk.stream.stop import StopFlag

UNDECIDED = 0.5


class ChosenLanguage:
    """A Recognizer for one session: the shared one, with the session's language."""

    def __init__(self, shared: Recognizer, language: str | None) -> None:
        self.language = language
        self.suits_partials = shared.suits_partials
        self._shared = shared

    def transcribe(
        self, chunk: AudioChunk, language: str | None = None, stop: StopFlag | None = None
    ) -> Transcript:
        """Recognise an utterance in the session's language."""
        return self._shared.transcribe(chunk, self.language or language, stop)


class JudgeOnDemand:
    """An EndOfTurn that can be switched off: then every pause lasts as long as the settings say."""

    def __init__(self, shared: EndOfTurn) -> None:
        self.enabled = False
        self._shared = shared

    def probability(self, speech: AudioChunk) -> float:
        """The probability that nothing will follow."""
        return self._shared.probability(speech) if self.enabled else UNDECIDED


def stages_of_session(
    shared: Stages,
    answering: Answering,
    voice: ChosenVoice,
    language: ChosenLanguage,
    judge: JudgeOnDemand | None,
) -> Stages:
    """The shared models behind the choices of one session."""
    return replace(
        shared,
        responder=answering,
        synthesizer=voice,
        voice=voice,
        recognizer=language,
        end_of_turn=judge,
    )
