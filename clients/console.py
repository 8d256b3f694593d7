"""`selftalk call`: talks with a server at a terminal, by microphone or in writing.

Sound needs `sounddevice`; without it, or with --text, one types. Use headphones: only the server's
own `talk` and web pages take the echo out.
"""

import argparse
import asyncio
import contextlib
import os
import sys
from collections import deque
from typing import Any

from selftalk.clients import failures
from selftalk.clients.client import DEFAULT_URL, VoiceClient
from selftalk.clients.failures import CONNECTION_ERRORS, TOKEN_VARIABLE, ClientError, reason
from selftalk.stream.protocol import SAMPLE_RATE_HZ, ServerEvent
from selftalk.stream.protocol import server_events as events

BLOCK_SAMPLES = SAMPLE_RATE_HZ // 50
QUEUED_BLOCKS = 100


class Loudspeaker:
    """Plays what arrives, and knows how much of which reply was heard."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._rest = b""
        self._item_id = ""
        self._played: dict[str, int] = {}

    def push(self, item_id: str, pcm: bytes) -> None:
        """Add sound of a reply."""
        self._waiting.append((item_id, pcm))

    def pull(self, size: int) -> bytes:
        """The next bytes for the device; silence where nothing is left."""
        block = b""
        while len(block) < size and (self._rest or self._waiting):
            if not self._rest:
                self._item_id, self._rest = self._waiting.popleft()
            taken = self._rest[: size - len(block)]
            self._rest = self._rest[len(taken) :]
            self._played[self._item_id] = self._played.get(self._item_id, 0) + len(taken) // 2
            block += taken
        return block.ljust(size, b"\0")

    def cut(self) -> tuple[str, int] | None:
        """Fall silent; return the reply that was cut and how many ms of it were heard."""
        playing = bool(self._rest or self._waiting)
        self._waiting.clear()
        self._rest = b""
        if not playing or not self._item_id:
            return None
        return self._item_id, self._played[self._item_id] * 1000 // SAMPLE_RATE_HZ


class Console:
    """Shows what happens, and plays what is said."""

    def __init__(self, client: VoiceClient, loudspeaker: Loudspeaker) -> None:
        self._client = client
        self._loudspeaker = loudspeaker
        self.answered = asyncio.Event()
        """Set when no answer is awaited any more."""

    async def run(self) -> None:
        """Follow the conversation to its end."""
        async for event in self._client:
            await self.show(event)

    async def show(self, event: ServerEvent) -> None:
        """Show one event."""
        match event:
            case events.OutputAudioDelta():
                self._loudspeaker.push(event.item_id, event.delta)
            case events.SpeechStarted():
                if cut := self._loudspeaker.cut():
                    await self._client.heard(*cut)
            case events.TranscriptionCompleted():
                _print(f"you:  {event.transcript}\n")
            case events.OutputAudioTranscriptDelta() | events.OutputTextDelta():
                _print(event.delta)
            case events.ResponseCreated():
                _print("self: ")
            case events.ResponseDone():
                _print(" —\n" if event.response.status == "cancelled" else "\n")
                self.answered.set()
            case events.Error():
                _print(f"({event.error.message})\n")
                self.answered.set()
            case events.ResumedEvent():
                self.answered.set()
            case events.TurnReported() if event.voice_to_voice_ms is not None:
                _print(f"      {event.voice_to_voice_ms:.0f} ms\n")
            case _:
                pass


async def _type(client: VoiceClient, console: Console) -> None:
    """Say each line in writing, when the one before is answered; with the last, the talk ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip():
            console.answered.clear()
            await client.say_text(line.strip())
            await console.answered.wait()
    await client.close()


async def _speak(client: VoiceClient, loudspeaker: Loudspeaker, sounddevice: Any) -> None:
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[bytes] = asyncio.Queue(QUEUED_BLOCKS)

    def offer(pcm: bytes) -> None:
        if heard.full():  # the line is slow: the oldest sound is of least use
            heard.get_nowait()
        heard.put_nowait(pcm)

    def callback(indata: Any, outdata: Any, _frames: int, _time: Any, _status: Any) -> None:
        outdata[:] = loudspeaker.pull(len(outdata))
        loop.call_soon_threadsafe(offer, bytes(indata))

    with sounddevice.RawStream(
        samplerate=SAMPLE_RATE_HZ,
        blocksize=BLOCK_SAMPLES,
        channels=1,
        dtype="int16",
        callback=callback,
    ):
        while True:
            await client.send_audio(await heard.get())


async def _call(args: argparse.Namespace) -> None:
    sounddevice = None if args.text else _sounddevice()
    settings: dict[str, Any] = {"type": "realtime"}
    if sounddevice is None:
        settings["output_modalities"] = ["text"]
    token = os.environ.get(TOKEN_VARIABLE, "")
    try:
        async with VoiceClient(args.server, token=token, session=settings) as client:
            await _talk(client, sounddevice)
    except* CONNECTION_ERRORS as errors:
        raise ClientError(f"cannot talk with {args.server}: {reason(errors)}") from None


async def _talk(client: VoiceClient, sounddevice: Any) -> None:
    """Listen and speak, or type, until the server or the last line ends it."""
    loudspeaker = Loudspeaker()
    console = Console(client, loudspeaker)
    async with asyncio.TaskGroup() as group:
        group.create_task(console.run())
        if sounddevice is None:
            group.create_task(_type(client, console))
        else:
            group.create_task(_speak(client, loudspeaker, sounddevice))


def _sounddevice() -> Any:
    with contextlib.suppress(ImportError, OSError):
        import sounddevice

        if _has_sound(sounddevice):
            return sounddevice
    _print("no sound card can be used: type instead\n")
    return None


def _has_sound(sounddevice: Any) -> bool:
    wanted = {"samplerate": SAMPLE_RATE_HZ, "channels": 1, "dtype": "int16"}
    try:
        sounddevice.check_input_settings(**wanted)
        sounddevice.check_output_settings(**wanted)
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `call` to the command line."""
    parser = subparsers.add_parser("call", help="talk with a running `selftalk serve`")
    parser.add_argument("--server", default=DEFAULT_URL, help="ws:// or wss:// address")
    parser.add_argument("--text", action="store_true", help="type instead of speaking")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Talk until Ctrl-C, or to the last line that is typed; return the status of the process."""
    return failures.run(_call(args))
