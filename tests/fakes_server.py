"""A real server on the loopback around tiny models: everything but the models is the real thing.

A user's utterance is a stretch of loud samples. The responder answers with numbered words, the
synthesizer says each in a tenth of a second at once.
"""

import asyncio
import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from fakes_http import ToneSynthesizer, voice_named
from websockets.sync.client import connect

from selftalk.stream.config import TalkConfig
from selftalk.stream.dialogue.turns import TurnConfig, TurnDetector
from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.minds.chat_client import TextDelta, ToolCallDelta, UsageDelta
from selftalk.stream.server.admission import Admission
from selftalk.stream.server.app import ServerContext, build_app
from selftalk.stream.server.realtime import drain
from selftalk.stream.server.serve import Server
from selftalk.stream.stages import Stages

RATE_HZ = 24_000


class LoudnessVad:
    """Whatever is loud enough is speech."""

    sample_rate_hz = 16_000
    frame_samples = 320

    def push(self, frame):
        return float(np.abs(frame).max() > 0.1)

    def reset(self):
        pass


@dataclass
class CountingRecognizer:
    """Numbers what it hears."""

    suits_partials: bool = False
    heard_seconds: list[float] = field(default_factory=list)
    languages: list[str | None] = field(default_factory=list)

    def transcribe(self, chunk, language=None, stop=None):
        if np.abs(chunk.samples).max(initial=0) < 0.1:
            return Transcript("", "en")
        self.heard_seconds.append(chunk.duration_seconds)
        self.languages.append(language)
        return Transcript(f"utterance {len(self.heard_seconds)}", "en")


@dataclass
class Scripted:
    """A chat model: words in number, or the calls that a test wants."""

    words: int = 6
    delta_seconds: float = 0.0
    calls: list[ToolCallDelta] = field(default_factory=list)
    asked: list[tuple[list[Any], list[Any], dict[str, Any]]] = field(default_factory=list)
    running: int = 0
    usage: UsageDelta | None = None
    error: Exception | None = None

    async def reply(self, messages):
        async for delta in self.stream(messages):
            if isinstance(delta, TextDelta):
                yield delta.text

    async def stream(self, messages, tools=(), options=None):
        self.asked.append((list(messages), list(tools), dict(options or {})))
        if self.error:
            raise self.error
        self.running += 1
        try:
            calls = self.calls if tools else []
            for call in calls:
                yield call
            for number in range(0 if calls else self.words):
                await asyncio.sleep(self.delta_seconds)
                yield TextDelta(f"w{number}{'. ' if number % 3 == 2 else ' '}")
            if self.usage:
                yield self.usage
        finally:
            self.running -= 1

    async def warm_up(self):
        pass

    async def close(self):
        pass


def make_context(
    responder: Scripted | None = None,
    synthesizer: ToneSynthesizer | None = None,
    capacity: int = 8,
    token: str | None = None,
    **changes: Any,
) -> ServerContext:
    """What the connections of a test share; changes are those of `[server]`."""
    config = TalkConfig()
    stages = Stages(
        recognizer=CountingRecognizer(),
        responder=responder or Scripted(),
        synthesizer=synthesizer or ToneSynthesizer(),
        voice=voice_named("default"),
    )
    return ServerContext(
        config=replace(config, server=replace(config.server, port=0, **changes)),
        stages=stages,
        make_detector=lambda turns: TurnDetector(LoudnessVad(), turns or TurnConfig()),
        voice_named=voice_named,
        voice_names=lambda: ["default", "me", "friend"],
        admission=Admission(capacity, config.server.max_sessions_per_peer),
        token=token,
    )


@dataclass
class Running:
    """A server in a thread of its own."""

    context: ServerContext
    port: int
    loop: asyncio.AbstractEventLoop
    server: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def call(self, coroutine: Any) -> Any:
        """Run a coroutine where the server runs."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def drain(self) -> None:
        self.call(drain(self.context))

    def tasks(self) -> int:
        async def count() -> int:
            return len(asyncio.all_tasks())

        return int(self.call(count()))


@contextlib.contextmanager
def running(
    context: ServerContext | None = None, build: Callable[[ServerContext], Any] = build_app
) -> Iterator[Running]:
    """Serve on a free port."""
    context = context or make_context()
    server = Server(build(context), context.server, 0)
    server.listen()
    started = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        started.set()
        await server.serve_here()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield Running(context, server.port, loops[0], server)
    finally:
        server.should_exit = True
        thread.join(10)


def speech(seconds: float, loudness: float = 0.5) -> bytes:
    """PCM16 at 24 kHz that the detector takes for speech."""
    samples = np.full(round(seconds * RATE_HZ), loudness)
    samples[1::2] *= -1
    samples = np.repeat(samples, 8)[: len(samples)]  # a tone that survives resampling
    return (samples * 32767).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    """PCM16 at 24 kHz."""
    return bytes(2 * round(seconds * RATE_HZ))


def base64_of(audio: bytes) -> str:
    return base64.b64encode(audio).decode()


class RawClient:
    """A WebSocket that speaks JSON."""

    def __init__(self, ws_url: str, query: str = "model=m", **options: Any) -> None:
        self._connecting = connect(
            f"{ws_url}/v1/realtime?{query}", compression=None, max_size=None, **options
        )
        self.seen: list[dict[str, Any]] = []

    def __enter__(self) -> "RawClient":
        self.socket = self._connecting.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def say(self, audio: bytes, piece_ms: int = 100) -> None:
        size = RATE_HZ * 2 * piece_ms // 1000
        for start in range(0, len(audio), size):
            self.send("input_audio_buffer.append", audio=base64_of(audio[start : start + size]))

    def next(self, timeout: float = 10) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.socket.recv(timeout))
        self.seen.append(event)
        return event

    def until(self, kind: str, timeout: float = 10) -> dict[str, Any]:
        """Read on to the next event of a kind."""
        while (event := self.next(timeout))["type"] != kind:
            assert event["type"] != "error" or kind == "error", event
        return event

    def kinds(self) -> list[str]:
        """What was seen, repeated kinds once."""
        kinds = [event["type"] for event in self.seen]
        return [kind for place, kind in enumerate(kinds) if place == 0 or kind != kinds[place - 1]]
