"""A whole server on the loopback, with models so small that everything happens at once."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import uvicorn

from selftalk.stream.config import TalkConfig
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.errors import RecognizerError, TextError, VoiceError
from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.server.app import ServerContext
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stages import Stages
from selftalk.stream.synthesis.speech import SpeechChunk, WordTime
from selftalk.stream.synthesis.synthesizer import SynthesisOptions

VOICE_HZ = 24_000
CHUNK_SAMPLES = VOICE_HZ // 10
VOICES = ("default", "me", "friend")

http = httpx.Client(trust_env=False, timeout=20)
"""For all tests: to make one takes longer than most of them."""


@dataclass
class ToneSynthesizer:
    """Says each word as a tenth of a second of a tone, whose pitch is the voice's."""

    sample_rate_hz: int = VOICE_HZ
    options: SynthesisOptions = field(default_factory=SynthesisOptions)
    seconds_per_chunk: float = 0.0
    fails_at: int | None = None
    calls: list[tuple[str, Any, SynthesisOptions]] = field(default_factory=list)
    steps: int = 0
    running: int = 0
    bundle: Any = field(
        default_factory=lambda: SimpleNamespace(manifest=SimpleNamespace(name="tone"))
    )

    def stream(self, text, voice, *, stop=None, marks=None, options=None) -> Iterator[SpeechChunk]:
        options = options or self.options
        self.calls.append((text, voice, options))
        if options.language == "ko":
            raise TextError("voice model 'tone' does not speak 'ko'; it speaks en, zh")
        self.running += 1
        try:
            for number, word in enumerate(text.split()):
                time.sleep(self.seconds_per_chunk)
                if stop is not None and stop.is_set:
                    return
                self.steps += 1
                if self.fails_at is not None and number >= self.fails_at:
                    raise RuntimeError("a secret of the inside")
                yield self._said(word, number, options)
        finally:
            self.running -= 1

    def _said(self, word: str, number: int, options: SynthesisOptions) -> SpeechChunk:
        samples = round(CHUNK_SAMPLES / options.speed)
        times = np.arange(samples) / VOICE_HZ
        tone = (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
        said = WordTime(word, number * samples, (number + 1) * samples)
        return SpeechChunk(AudioChunk(tone, self.sample_rate_hz), (said,))


class LoudnessVad:
    """Hears speech in whatever is loud."""

    sample_rate_hz = 16_000
    frame_samples = 512

    def push(self, frame):
        return float(np.abs(frame).max() > 0.1)

    def reset(self):
        pass


class LengthRecognizer:
    """Writes down how long it heard something loud; knows English and Chinese."""

    suits_partials = True

    def transcribe(self, chunk, language=None, stop=None):
        if language not in ("en", "zh"):
            raise RecognizerError(f"this recogniser does not know '{language}'")
        loud = np.flatnonzero(np.abs(chunk.samples) > 0.1)
        if not len(loud):
            return Transcript("", language)
        seconds = (loud[-1] - loud[0]) / chunk.sample_rate_hz
        return Transcript(f"{seconds:.1f} seconds", language, 0.9)


class Silent:
    """A responder that is never asked."""

    async def reply(self, messages):
        raise AssertionError
        yield ""


def voice_named(name: str) -> SimpleNamespace:
    if name not in VOICES:
        raise VoiceError(f"unknown voice '{name}'; known: {', '.join(VOICES)}")
    return SimpleNamespace(name=name)


def make_context(synthesizer: ToneSynthesizer | None = None, **changes: Any) -> ServerContext:
    """What the connections of a test share; changes are those of `[server]`."""
    config = TalkConfig()
    stages = Stages(
        recognizer=LengthRecognizer(),
        responder=Silent(),
        synthesizer=synthesizer or ToneSynthesizer(),
        voice=voice_named("default"),
    )
    return ServerContext(
        config=replace(config, server=replace(config.server, **changes)),
        stages=stages,
        make_detector=lambda turns: TurnDetector(LoudnessVad(), turns),
        voice_named=voice_named,
        voice_names=lambda: list(VOICES),
    )


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """Run an app on a free port of the loopback; yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def big_chunks(synthesizer: ToneSynthesizer) -> ToneSynthesizer:
    """Let it say each word for so long that no buffer on the way holds many of them."""
    rate_hz = synthesizer.sample_rate_hz
    chunk = SpeechChunk(AudioChunk(np.zeros(rate_hz * 20, np.float32), rate_hz))
    synthesizer._said = lambda *_: chunk
    return synthesizer


def eventually(condition, seconds: float = 5.0) -> bool:
    """Whether something becomes true soon."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return bool(condition())


def noise(*parts: float, rate_hz: int = 16_000) -> np.ndarray:
    """Seconds of loud noise where positive, of silence where negative."""
    random = np.random.default_rng(0)
    pieces = [
        random.uniform(0.3, 0.5, int(abs(part) * rate_hz)) * (1 if part > 0 else 0)
        for part in parts
    ]
    joined = np.concatenate(pieces)
    return (joined * np.where(np.arange(len(joined)) % 2, 1, -1)).astype(np.float32)
