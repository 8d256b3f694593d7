"""A whole world for a Session in virtual time: real detector, real sink, real threads, and tiny
models whose speed the test chooses.

A user's utterance is a stretch of constant loudness; its loudness says which one it is. Each
reply speaks words of its own ("a0 a1 …", "b0 b1 …") at a loudness of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from virtual_time import virtual_loop

from selftalk.stream import hearing as hearing_module
from selftalk.stream import turn_jobs as turn_jobs_module
from selftalk.stream.dialogue.agent_config import AgentConfig
from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.dialogue.turns import TurnConfig, TurnDetector
from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.session import Session, SessionNotice
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.io import CHUNK_MS, CHUNK_SAMPLES, SAMPLE_RATE_HZ
from selftalk.stream.sound.playout import Playout
from selftalk.stream.sound.sink import PlayoutSink
from selftalk.stream.stages import Stages
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.speech import Marks, SpeechChunk, WordTime
from selftalk.stream.thread_stream import iterate_in_thread

VOICE_HZ = 16_000
WORD_SAMPLES = VOICE_HZ // 10
RENDER_SECONDS = 0.02
LOUDNESS_STEP = 0.01
FIRST_LOUDNESS = 0.5  # of the user


class LoudnessVad:
    """Whatever is loud enough is speech."""

    sample_rate_hz = SAMPLE_RATE_HZ
    frame_samples = 320

    def push(self, frame: Float32Array) -> float:
        return float(np.abs(frame).max() > 0.1)

    def reset(self) -> None:
        pass


class User:
    """An AudioSource: says utterance n from `start_ms` for `length_ms`, then is silent."""

    def __init__(self, *utterances: tuple[float, float], stays: bool = False) -> None:
        self._utterances = utterances
        self._position_ms = 0.0
        self._stays = stays
        self._closed = False

    @property
    def ended(self) -> bool:
        last = max((start + length for start, length in self._utterances), default=0.0)
        return not self._stays and self._position_ms >= last

    def close(self) -> None:
        self._closed = True

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        while not self._closed:
            await asyncio.sleep(CHUNK_MS / 1000)
            yield AudioChunk(self._now(), SAMPLE_RATE_HZ)
            self._position_ms += CHUNK_MS

    def _now(self) -> Float32Array:
        loudness = 0.0
        for number, (start, length) in enumerate(self._utterances):
            if start <= self._position_ms < start + length:
                loudness = FIRST_LOUDNESS + LOUDNESS_STEP * number
        return np.full(CHUNK_SAMPLES, loudness, np.float32)


class Loudspeaker(PlayoutSink):
    """The real sink; keeps all that was heard, and counts what each reply was told to have
    been heard."""

    def __init__(self) -> None:
        self._rendered_once = asyncio.Event()
        super().__init__(Playout(VOICE_HZ), self._next_rendering)
        self.heard: list[Float32Array] = []
        self.clear_calls: list[tuple[float, int, int]] = []  # (seconds, generation, samples)
        self.gains: list[float] = []
        self.broken = False
        self.error: Exception | None = None

    async def play(self, chunk: AudioChunk, generation: int) -> bool:
        if self.error:
            raise self.error
        return await super().play(chunk, generation)

    async def _next_rendering(self) -> None:
        await self._rendered_once.wait()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(RENDER_SECONDS)
            if self.broken:
                continue
            block = np.zeros(round(VOICE_HZ * RENDER_SECONDS), np.float32)
            self._playout.render(block)
            self.heard.append(block)
            rendered, self._rendered_once = self._rendered_once, asyncio.Event()
            rendered.set()

    def clear(self, generation: int) -> int:
        samples = super().clear(generation)
        self.clear_calls.append((asyncio.get_running_loop().time(), generation, samples))
        return samples

    def set_gain(self, gain: float) -> None:
        self.gains.append(gain)
        super().set_gain(gain)


@dataclass
class FakeRecognizer:
    """Knows what each utterance is by its loudness."""

    texts: Sequence[str]
    suits_partials: bool = False
    calls: int = 0
    error: Exception | None = None

    def transcribe(
        self, chunk: AudioChunk, language: str | None = None, stop: StopFlag | None = None
    ) -> Transcript:
        self.calls += 1
        if self.error:
            raise self.error
        loudness = float(chunk.samples.max())
        number = round((loudness - FIRST_LOUDNESS) / LOUDNESS_STEP)
        return Transcript(self.texts[number], "en")


@dataclass
class FakeResponder:
    """Each reply has words that no other has, one per delta, and some commas and full stops."""

    words: int = 24
    first_delta_seconds: float = 0.1
    delta_seconds: float = 0.02
    asked: list[list[Message]] = field(default_factory=list)
    running: int = 0
    error: Exception | None = None

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        self.asked.append(list(messages))
        letter = chr(ord("a") + len(self.asked) - 1)
        self.running += 1
        try:
            await asyncio.sleep(self.first_delta_seconds)
            for number in range(self.words):
                if self.error:
                    raise self.error
                ends = ". " if number % 6 == 5 else " "
                yield f"{letter}{number}{ends}"
                await asyncio.sleep(self.delta_seconds)
        finally:
            self.running -= 1

    async def warm_up(self) -> None:
        pass

    async def close(self) -> None:
        pass


@dataclass
class FakeSynthesizer:
    """Speaks a word in 0.1 s, at a loudness that tells the reply; two words in a chunk."""

    sample_rate_hz: int = VOICE_HZ
    error: Exception | None = None
    texts: list[str] = field(default_factory=list)
    voices: list[Any] = field(default_factory=list)

    def stream(
        self,
        text: str,
        voice: Any,
        *,
        stop: StopFlag | None = None,
        marks: Marks | None = None,
    ) -> Iterator[SpeechChunk]:
        self.texts.append(text)
        self.voices.append(voice)
        if self.error:
            raise self.error
        words = [word.strip(".,!?") for word in text.split()]
        for first in range(0, len(words), 2):
            if stop and stop.is_set:
                return
            if marks and not first:
                marks("phonemes_ready")
                marks("prefill")
                marks("first_semantic_token")
            pair = words[first : first + 2]
            times = tuple(
                WordTime(word, (first + place) * WORD_SAMPLES, (first + place + 1) * WORD_SAMPLES)
                for place, word in enumerate(pair)
            )
            loudness = 0.1 + LOUDNESS_STEP * (ord(words[0][0]) - ord("a"))
            samples = np.full(WORD_SAMPLES * len(pair), loudness, np.float32)
            yield SpeechChunk(AudioChunk(samples, VOICE_HZ), times)


@dataclass
class World:
    """A session and all that is around it."""

    user: User
    texts: Sequence[str] = ("Hello there.", "Wait a moment.", "And one more.")
    config: AgentConfig = field(default_factory=AgentConfig)
    recognizer: FakeRecognizer = field(init=False)
    responder: FakeResponder = field(default_factory=FakeResponder)
    synthesizer: FakeSynthesizer = field(default_factory=FakeSynthesizer)
    voice: Any = "anybody"
    notices: list[tuple[float, SessionNotice]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recognizer = FakeRecognizer(self.texts)
        self.loudspeaker = Loudspeaker()
        self.stages = Stages(
            recognizer=self.recognizer,
            responder=self.responder,
            synthesizer=self.synthesizer,
            voice=self.voice,
        )
        detector = TurnDetector(LoudnessVad(), TurnConfig())
        self.session = Session(
            self.stages,
            self.loudspeaker,
            self.user,
            detector,
            config=self.config,
            seconds=asyncio.get_running_loop().time,
        )
        self.session.subscribe(self._note)

    def _note(self, notice: SessionNotice) -> None:
        self.notices.append((asyncio.get_running_loop().time(), notice))

    async def run(self) -> None:
        """Run the session to its end."""
        playing = asyncio.create_task(self.loudspeaker.run())
        others = asyncio.all_tasks()
        try:
            await self.session.run()
            assert asyncio.all_tasks() <= others, "the session left tasks behind"
        finally:
            await asyncio.sleep(0.1)  # a fade goes on
            playing.cancel()

    def all(self, kind: type) -> list[Any]:
        return [notice for _, notice in self.notices if isinstance(notice, kind)]

    def when(self, kind: type) -> list[float]:
        return [seconds for seconds, notice in self.notices if isinstance(notice, kind)]

    @property
    def heard(self) -> Float32Array:
        return np.concatenate([np.zeros(0, np.float32), *self.loudspeaker.heard])


def threads_in_virtual_time(
    monkeypatch: pytest.MonkeyPatch, seconds: Callable[[str], float]
) -> None:
    """Let items from threads take virtual time: `seconds(thread name)` for each."""

    async def iterate(
        make_iterator: Callable[[], Iterator[Any]], stop: StopFlag, **options: Any
    ) -> AsyncIterator[Any]:
        items = iterate_in_thread(make_iterator, stop, **options)
        end = object()
        async with aclosing(items):
            while True:
                with virtual_loop().computing():
                    item = await anext(items, end)
                if item is end:
                    return
                await asyncio.sleep(seconds(options.get("name", "")))
                yield item

    monkeypatch.setattr(hearing_module, "iterate_in_thread", iterate)
    monkeypatch.setattr(turn_jobs_module, "iterate_in_thread", iterate)
