"""How many conversations one core carries: a server with a stub engine, 20 ms frames both ways.

    python benchmarks/server_load.py [--sessions 100] [--seconds 30] [--vanish 1000]

Each session hears silence in real time and speaks without end, 20 ms at a time. The stub engine is
as fast as it is asked to be, as engines are that keep up with speech; the server asks it for the
least lead there is, 200 ms. A frame is due 20 ms after the one before it, counted from the first;
lateness is how much later it comes, below zero while the listener still has sound. With
--vanish, so many clients disappear in the middle of a reply, and what is left of them is counted:
descriptors, threads, asyncio's tasks and conversations of the server's process.
Processor time is that of the server's process alone, the stub engine's threads with it; the clients
want a core of their own. On a busy machine only the time per frame means something, of a few
sessions.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect

from selftalk.stream.config import TalkConfig
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.server.admission import Admission
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.serve import run_loop, serve_context
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stages import Stages
from selftalk.stream.synthesis.speech import SpeechChunk

RATE_HZ = 24_000
FRAME_SECONDS = 0.02
FRAME_SAMPLES = round(RATE_HZ * FRAME_SECONDS)
LEAD_MS = 200
SILENCE = json.dumps(
    {
        "type": "input_audio_buffer.append",
        "audio": base64.b64encode(bytes(2 * FRAME_SAMPLES)).decode(),
    }
)
TEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "speak"}]}


class DeafVad:
    """Hears nothing, at the usual size of frames."""

    sample_rate_hz = 16_000
    frame_samples = 512

    def push(self, frame: Any) -> float:
        """Silence."""
        return 0.0

    def reset(self) -> None:
        """Nothing to forget."""


class StubRecognizer:
    """Understands nothing."""

    suits_partials = False

    def transcribe(self, chunk: Any, language: Any = None, stop: Any = None) -> Transcript:
        """Nothing."""
        return Transcript("", "en")


class StubResponder:
    """Always has one thing to say."""

    async def reply(self, messages: Any) -> Any:
        """One sentence."""
        yield "On and on."

    async def warm_up(self) -> None:
        """Nothing to warm."""

    async def close(self) -> None:
        """Nothing to close."""


class StubSynthesizer:
    """Speaks for ever, in frames of 20 ms."""

    sample_rate_hz = RATE_HZ

    def stream(
        self, text: str, voice: Any, *, stop: Any = None, marks: Any = None
    ) -> Iterator[SpeechChunk]:
        """Frames, as many as are wanted."""
        frame = SpeechChunk(AudioChunk(np.zeros(FRAME_SAMPLES, np.float32), RATE_HZ))
        while stop is None or not stop.is_set:
            yield frame


def stub_context(port: int) -> ServerContext:
    """What connections share, without any model."""
    config = TalkConfig()
    server = replace(
        config.server,
        port=port,
        api_v2_port=0,
        wyoming_port=0,
        max_sessions_per_peer=10_000,
        lead_ms=LEAD_MS,
    )
    context = ServerContext(
        config=replace(config, server=server),
        stages=Stages(
            recognizer=StubRecognizer(),
            responder=StubResponder(),
            synthesizer=StubSynthesizer(),
            voice=None,
        ),
        make_detector=lambda turns: TurnDetector(DeafVad(), turns),
        voice_named=lambda name: None,
        voice_names=lambda: ["default"],
        admission=Admission(10_000, 10_000),
    )
    context.telemetry.gauge("tasks", lambda: len(asyncio.all_tasks()))
    return context


class Session:
    """One client that listens and speaks at once."""

    def __init__(self) -> None:
        self.lateness: list[float] = []
        self.errors: list[str] = []

    async def run(self, url: str, seconds: float) -> None:
        """Talk for so long."""
        async with connect(url, compression=None, max_size=None, open_timeout=60) as socket:
            await socket.send(json.dumps({"type": "conversation.item.create", "item": TEXT}))
            await socket.send(json.dumps({"type": "response.create"}))
            speaking = asyncio.create_task(self._speak(socket, seconds))
            try:
                async with asyncio.timeout(seconds):
                    await self._listen(socket)
            except TimeoutError:
                pass
            finally:
                speaking.cancel()

    async def _speak(self, socket: Any, seconds: float) -> None:
        begun = time.monotonic()
        for number in range(int(seconds / FRAME_SECONDS)):
            await asyncio.sleep(max(0.0, begun + number * FRAME_SECONDS - time.monotonic()))
            await socket.send(SILENCE)

    async def _listen(self, socket: Any) -> None:
        first = 0.0
        frames = 0
        async for text in socket:
            if '"response.output_audio.delta"' in text[:60]:
                now = time.monotonic()
                first = first or now
                self.lateness.append(now - first - frames * FRAME_SECONDS)
                frames += 1
            elif '"error"' in text[:20]:
                self.errors.append(text)


def processor_seconds(process: "subprocess.Popen[bytes]") -> float:
    """Of a process so far, all its threads."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(process: "subprocess.Popen[bytes]", port: int, args: argparse.Namespace) -> None:
    """Hold many conversations, and print how they went."""
    url = f"ws://127.0.0.1:{port}/v1/realtime"
    sessions = [Session() for _ in range(args.sessions)]

    async def begin(session: Session, number: int) -> None:
        await asyncio.sleep(number * FRAME_SECONDS / args.sessions)
        await session.run(url, args.seconds)

    before, begun = processor_seconds(process), time.monotonic()
    await asyncio.gather(*(begin(session, n) for n, session in enumerate(sessions)))
    used = processor_seconds(process) - before
    share = used / (time.monotonic() - begun)
    late_ms = 1000 * np.concatenate([np.array(session.lateness) for session in sessions])
    if not len(late_ms):
        print("no frame came in time")
        return
    expected = args.sessions * args.seconds / FRAME_SECONDS
    print(f"sessions            {args.sessions}")
    print(f"frames              {len(late_ms)} of about {expected:.0f}")
    print(f"errors              {sum(len(session.errors) for session in sessions)}")
    print(
        f"lateness p50, p99   {np.percentile(late_ms, 50):.1f}, {np.percentile(late_ms, 99):.1f} ms"
    )
    print(f"server              {100 * share:.0f} % of a core")
    print(f"a frame each way    {1e6 * used / len(late_ms):.0f} µs of the server's processor time")
    print(f"clients             {resource.getrusage(resource.RUSAGE_SELF).ru_utime:.0f} s in all")


async def vanish(process: "subprocess.Popen[bytes]", port: int, times: int) -> None:
    """Let clients disappear in the middle of a reply, and print what they left."""
    url = f"ws://127.0.0.1:{port}/v1/realtime"

    def descriptors() -> int:
        return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))

    def threads() -> int:
        return len(list(Path(f"/proc/{process.pid}/task").iterdir()))

    async def once() -> None:
        async with connect(url, compression=None, open_timeout=60) as socket:
            await socket.send(json.dumps({"type": "conversation.item.create", "item": TEXT}))
            await socket.send(json.dumps({"type": "response.create"}))
            async for text in socket:
                if '"response.output_audio.delta"' in text[:60]:
                    break
            socket.transport.abort()

    async def left() -> dict[str, float]:
        await asyncio.sleep(3)
        held = {"descriptors": descriptors(), "threads": threads()}  # before we connect to ask
        return held | await asyncio.to_thread(_gauges, port)

    for _ in range(5):
        await once()
    before = await left()
    for first in range(0, times, 20):
        await asyncio.gather(*(once() for _ in range(min(20, times - first))))
    after = await left()
    changes = [f"{name} {before[name]:g} → {after[name]:g}" for name in before]
    print(f"{times} disappearances: {', '.join(changes)}")


def _gauges(port: int) -> dict[str, float]:
    """Of the server: asyncio's tasks, and the conversations."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    values = dict(line.split() for line in text.splitlines() if "#" not in line and "{" not in line)
    return {name: float(values[f"selftalk_{name}"]) for name in ("tasks", "sessions")}


def main() -> None:
    """Start a server in a process of its own, and load it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--vanish", type=int, default=0)
    parser.add_argument("--port", type=int, default=8799)
    parser.add_argument("--serve", action="store_true", help="be the server")
    args = parser.parse_args()
    if args.serve:
        run_loop(serve_context(stub_context(args.port), lambda _line: None))
        return
    command = [sys.executable, __file__, "--serve", "--port", str(args.port)]
    process = subprocess.Popen(command)
    try:
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{args.port}/healthz", trust_env=False)
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        run_loop(load(process, args.port, args))
        if args.vanish:
            asyncio.run(vanish(process, args.port, args.vanish))
    finally:
        process.terminate()
        process.wait(20)
        print(f"exit code           {process.returncode}")


if __name__ == "__main__":
    main()
