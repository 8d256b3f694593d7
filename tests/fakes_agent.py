"""A tiny world around a VoiceAgent: every command is noted, and the test plays the jobs."""

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from selftalk.stream.dialogue.agent import CLOCK_HZ, VoiceAgent
from selftalk.stream.dialogue.agent_config import AgentConfig
from selftalk.stream.dialogue.conversation import Conversation
from selftalk.stream.dialogue.events import (
    AudioReady,
    InputEvent,
    Output,
    PlaybackStopped,
    ReplyDelta,
    ReplyFinished,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    StopPlayback,
    SynthesisFinished,
    Transcribe,
    TranscriptReady,
)
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.speech import WordTime

OutputType = TypeVar("OutputType", bound=Output)

VOICE_HZ = 24_000
WORD_SAMPLES = 2400  # every word takes 0.1 s
SPEECH = AudioChunk(np.zeros(1600, np.float32), 16_000)


class SplitAtFullStops:
    def __init__(self) -> None:
        self._rest = ""

    def push(self, delta: str) -> list[str]:
        *whole, self._rest = (self._rest + delta).split(".")
        return [f"{sentence.strip()}." for sentence in whole if sentence.strip()]

    def flush(self) -> list[str]:
        rest, self._rest = self._rest.strip(), ""
        return [rest] if rest else []


class World:
    """Pushes events into an agent and keeps all it puts out."""

    def __init__(self, **settings: Any) -> None:
        self.conversation = Conversation()
        config = AgentConfig(**settings)
        self.agent = VoiceAgent(self.conversation, config, SplitAtFullStops)
        self.out: list[Output] = []
        self.now_ms = 0.0
        self.played_samples = 0

    def push(self, *events: InputEvent) -> list[Output]:
        """Push events; what StopPlayback asks for is answered at once, as a session does."""
        new: list[Output] = []
        for event in events:
            self._collect(self.agent.push(event), new)
        return new

    def wait(self, milliseconds: float) -> list[Output]:
        self.now_ms += milliseconds
        new: list[Output] = []
        self._collect(self.agent.advance(int(self.now_ms * CLOCK_HZ / 1000)), new)
        return new

    def _collect(self, outputs: list[Output], new: list[Output]) -> None:
        self.out += outputs
        new += outputs
        for output in outputs:
            if isinstance(output, StopPlayback):
                stopped = PlaybackStopped(output.turn_id, self.played_samples)
                self._collect(self.agent.push(stopped), new)

    def all(
        self, kind: type[OutputType], among: Iterable[Output] | None = None
    ) -> list[OutputType]:
        outputs = self.out if among is None else among
        return [output for output in outputs if isinstance(output, kind)]

    def last(self, kind: type[OutputType]) -> OutputType:
        return self.all(kind)[-1]

    # --- what usually happens, in one word ---

    def say(self, text: str) -> list[Output]:
        """The user speaks and finishes; the recogniser understands."""
        before = len(self.out)
        self.push(SpeechStarted(0))
        self.push(SpeechPaused(1600, SPEECH), SpeechEnded(1600, SPEECH))
        self.recognise(text)
        return self.out[before:]

    def start_speaking(self) -> list[Output]:
        return self.push(SpeechStarted(0))

    def pause(self) -> list[Output]:
        return self.push(SpeechPaused(1600, SPEECH))

    def resume(self) -> list[Output]:
        return self.push(SpeechResumed(1600))

    def end(self) -> list[Output]:
        return self.push(SpeechEnded(1600, SPEECH))

    def recognise(self, text: str) -> list[Output]:
        return self.push(TranscriptReady(self.last(Transcribe).revision, text))

    def reply(self, text: str) -> list[Output]:
        """The responder says all of it."""
        turn_id = self.agent.turn_id
        return self.push(ReplyDelta(turn_id, text), ReplyFinished(turn_id))

    def synthesize(self, sentence: int, text: str) -> list[Output]:
        """The synthesizer makes a whole sentence in one chunk."""
        turn_id = self.agent.turn_id
        return self.push(speech(turn_id, sentence, text), SynthesisFinished(turn_id, sentence))


def speech(turn_id: int, sentence: int, text: str) -> AudioReady:
    words = [word.strip(".,!?") for word in text.split()]
    times = tuple(
        WordTime(word, place * WORD_SAMPLES, (place + 1) * WORD_SAMPLES)
        for place, word in enumerate(words)
    )
    samples = np.full(WORD_SAMPLES * len(words), 0.1, np.float32)
    return AudioReady(turn_id, sentence, AudioChunk(samples, VOICE_HZ), times)
