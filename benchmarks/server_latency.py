"""How long a client of the server waits for a reply, and where the time goes.

    python benchmarks/server_latency.py [--turns 12] [--responder mirror embedded] [--save FILE]

Starts `selftalk serve` in a process of its own and speaks to it as any realtime client would: in
frames of 20 ms, in real time, different sentences said by the shipped voice, then silence. The
time runs from the sending of the last frame in which there is speech to the arrival of each event
up to the first `output_audio.delta`; the stages that the server tells of stand beside them. The
first turn, a recording of a person, is not counted. Prints a table, or one JSON
object with --json.
"""

import argparse
import asyncio
import base64
import json
import socket
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from harness import texts
from websockets.asyncio.client import connect

from selftalk.stream.cli.verify import choose_voice
from selftalk.stream.machine import describe
from selftalk.stream.sound.audio import AudioChunk, read_audio, to_int16
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.synthesizer import open_synthesizer

FIGURE = "append of the last speech to first output_audio.delta"
WARM_UP = Path(str(resources.files("selftalk.configs") / "recordings" / "go_somewhere.flac"))
RATE_HZ = 24_000
FRAME_SECONDS = 0.02
FRAME_BYTES = 2 * round(RATE_HZ * FRAME_SECONDS)
SPEECH_LEVEL = 0.02
"""A frame with a sample above this has speech in it."""
WORDS = range(4, 12)
"""A question of so many words is said without a pause that would end the turn."""
LONGEST_TURN_SECONDS = 40.0
LONGEST_START_SECONDS = 240.0
STOPPED = "input_audio_buffer.speech_stopped"
DELTA = "response.output_audio.delta"
STEPS = {
    STOPPED: "speech stopped",
    "conversation.item.input_audio_transcription.completed": "transcript final",
    "response.created": "response created",
    "response.output_audio_transcript.delta": "first words",
    DELTA: "first audio delta",
}
"""Events on the way, and what has happened when each arrives."""

Turn = dict[str, dict[str, float]]
"""Milliseconds: `steps` after the last speech, and the server's own `stages`."""


def questions(count: int) -> list[AudioChunk]:
    """The recording, and so many different sentences in the shipped voice."""
    bundle = default_bundle()
    synthesizer = open_synthesizer(bundle)
    voice = choose_voice(synthesizer, None)
    short = [text for text in texts(bundle, 200) if len(text.split()) in WORDS and "," not in text]
    asked = list(dict.fromkeys(short))[:count]
    if len(asked) < count:
        raise SystemExit(f"--turns: there are {len(asked)} different sentences")
    spoken = [[chunk.audio for chunk in synthesizer.stream(text, voice)] for text in asked]
    rate_hz = synthesizer.sample_rate_hz
    said = [np.concatenate([chunk.samples for chunk in chunks]) for chunks in spoken]
    return [read_audio(WARM_UP), *(AudioChunk(samples, rate_hz) for samples in said)]


def frames(question: AudioChunk) -> tuple[list[bytes], int]:
    """A question in frames, and which of them is the last with speech."""
    samples = to_int16(resample(question.samples, question.sample_rate_hz, RATE_HZ))
    encoded = samples.astype("<i2").tobytes()
    found = [encoded[at : at + FRAME_BYTES] for at in range(0, len(encoded), FRAME_BYTES)]
    loud = [np.abs(np.frombuffer(f, "<i2")).max() > SPEECH_LEVEL * 32_767 for f in found]
    return found, max(number for number, is_loud in enumerate(loud) if is_loud)


async def speak(websocket: Any, question: AudioChunk, spoken: "asyncio.Future[float]") -> None:
    """Send the question in real time, then silence; `spoken` is when its last speech was sent."""
    sound, last = frames(question)
    begun, number = time.monotonic(), 0
    while True:
        await asyncio.sleep(max(0.0, begun + number * FRAME_SECONDS - time.monotonic()))
        frame = sound[number] if number < len(sound) else bytes(FRAME_BYTES)
        audio = base64.b64encode(frame).decode()
        await websocket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        if number == last:
            spoken.set_result(time.monotonic())
        number += 1


async def heard(websocket: Any, spoken: "asyncio.Future[float]") -> Turn:
    """What arrives until the reply to the whole question has been reported."""
    arrived: dict[str, float] = {}
    async for text in websocket:
        event = json.loads(text)
        kind = event["type"]
        if kind == "error":
            raise SystemExit(event["error"]["message"])
        if kind == STOPPED:  # a turn that ended too early, in a pause, is not the one to count
            arrived.clear()
        if kind in STEPS:
            arrived.setdefault(kind, time.monotonic())
        if kind == "selftalk.turn.report" and spoken.done() and DELTA in arrived:
            origin = spoken.result()
            steps = {STEPS[kind]: 1000 * (at - origin) for kind, at in arrived.items()}
            return {"steps": steps, "stages": event["stages"]}
    raise SystemExit("the server closed the connection")


async def ask(websocket: Any, question: AudioChunk) -> Turn | None:
    """One turn; None if no reply came."""
    spoken = asyncio.get_running_loop().create_future()
    speaking = asyncio.create_task(speak(websocket, question, spoken))
    try:
        async with asyncio.timeout(LONGEST_TURN_SECONDS):
            return await heard(websocket, spoken)
    except TimeoutError:
        return None
    finally:
        speaking.cancel()


async def hold(port: int, asked: list[AudioChunk]) -> list[Turn | None]:
    """Ask everything in one conversation; the turns but the first."""
    url = f"ws://127.0.0.1:{port}/v1/realtime?selftalk=1"
    async with connect(url, compression=None, max_size=None, open_timeout=60) as websocket:
        return [await ask(websocket, question) for question in asked][1:]


def spread(turns: list[Turn], kind: str) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each step or stage, in milliseconds."""
    names = dict.fromkeys(name for turn in turns for name in turn[kind])
    found = {}
    for name in names:
        values = [turn[kind][name] for turn in turns if name in turn[kind]]
        middle, high = np.percentile(values, [50, 95])
        found[name] = {"median": round(float(middle), 1), "p95": round(float(high), 1)}
    return found


def start(port: int, responder: str) -> "subprocess.Popen[bytes]":
    """A server that is ready."""
    ports = ["--set", "server.api_v2_port=0", "--set", "server.wyoming_port=0"]
    command = [sys.executable, "-m", "selftalk.stream", "serve", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--responder", responder, *ports], stdout=subprocess.DEVNULL
    )
    limit = time.monotonic() + LONGEST_START_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).raise_for_status()
            return process
        except httpx.HTTPError:
            time.sleep(0.2)
    process.terminate()
    raise SystemExit("the server did not get ready")


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def measure(responder: str, asked: list[AudioChunk]) -> dict[str, Any]:
    """Ask a server with this mind."""
    port = free_port()
    process = start(port, responder)
    try:
        turns = asyncio.run(hold(port, asked))
    finally:
        process.terminate()
        process.wait(30)
    answered = [turn for turn in turns if turn is not None]
    return {
        "asked": len(turns),
        "answered": len(answered),
        "steps_ms": spread(answered, "steps"),
        "stages_ms": spread(answered, "stages"),
    }


def show(responder: str, result: dict[str, Any]) -> None:
    """Print a table."""
    print(f"{responder}: {result['answered']} of {result['asked']} turns answered")
    for title, kind in (("ms after the last speech", "steps_ms"), ("server's own", "stages_ms")):
        print(f"  {title:26} {'median':>8} {'p95':>8}")
        for name, row in result[kind].items():
            print(f"  {name:26} {row['median']:8.0f} {row['p95']:8.0f}")


def main() -> None:
    """Start servers, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--responder", nargs="+", default=["mirror", "embedded"])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--save", type=Path, help="write it to a file too")
    options = parser.parse_args()
    asked = questions(options.turns)
    results = {responder: measure(responder, asked) for responder in options.responder}
    told = {"figure": FIGURE, "machine": describe(), "responders": results}
    if options.save:
        options.save.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    if options.json:
        print(json.dumps(told))
        return
    for responder, result in results.items():
        show(responder, result)


if __name__ == "__main__":
    main()
