"""A realtime server of one long sentence: the protocol and the pages are real, the rest is not.

Speech is what is loud; the answer is a hum whose words and phonemes have times.
"""

import asyncio
import base64
import contextlib
import json
import mimetypes
import threading
from http import HTTPStatus
from pathlib import Path

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from selftalk.stream.text import phonemize

CLIENTS = Path(__file__).parent.parent / "clients"
QUESTION_FILE = CLIENTS.parent / "configs/recordings/go_somewhere.flac"
RATE_HZ = 24_000
PHONE_MS = 70
PIECE_MS = 200
LOUD = 0.02
SHORTEST_SPEECH_MS, LONGEST_PAUSE_MS = 100, 500
QUESTION = "What would you tell me?"
ANSWER = (
    "I would tell you to slow down a little. Make some tea, look out of the window, "
    "and then begin with the smallest thing on your list."
)
VOICES = [{"id": "default", "name": "default"}, {"id": "mine", "name": "mine"}]
SELVES = ["Mirror", "Coach", "Night diary"]
STAGES = {
    "endpoint_wait": 210.0, "final_transcript": 0.0, "first_llm_token": 48.0, "first_clause": 36.0,
    "phonemes": 2.0, "prefill": 12.0, "first_semantic_token": 9.0, "first_audio_chunk": 31.0,
    "first_sample_played": 20.0, "pipeline": 6.0,
}  # fmt: skip


def word_times(text):
    """Words of a text with their times in milliseconds, every phoneme as long as the others."""
    phonemes = phonemize(text, "en")
    words = {}
    for place, (symbol, word) in enumerate(zip(phonemes.symbols, phonemes.word_index, strict=True)):
        if word >= 0:
            words.setdefault(word, []).append((symbol, place * PHONE_MS, (place + 1) * PHONE_MS))
    return [
        {
            "text": phonemes.words[word],
            "start_ms": phones[0][1],
            "end_ms": phones[-1][2],
            "phones": phones,
        }
        for word, phones in sorted(words.items())
    ]


def hum(words):
    """PCM16 with a tone for each word and silence between them."""
    samples = np.zeros(int((words[-1]["end_ms"] + 200) * RATE_HZ / 1000), np.float32)
    for word in words:
        start, end = (word[key] * RATE_HZ // 1000 for key in ("start_ms", "end_ms"))
        seconds = np.arange(end - start) / RATE_HZ
        shape = np.sin(np.pi * np.arange(end - start) / (end - start)) ** 0.5
        samples[start:end] = 0.25 * shape * np.sin(2 * np.pi * 150 * seconds)
    return (samples * 32767).astype("<i2")


class FakeRealtime:
    """Shared by all connections: what was received, and who observes."""

    def __init__(self, *, answer=ANSWER, token=""):
        self.token = token
        self.will_say(answer)
        self.received = []
        self.observers = set()
        self.connections = set()
        self.requests = []
        self.loop = None

    def will_say(self, answer):
        """Answer with this from now on."""
        self.answer, self.words = answer, word_times(answer)
        self.sound = hum(self.words)

    def of_type(self, kind):
        """The client's events of a type so far."""
        return [event for event in list(self.received) if event["type"] == kind]

    def drop_connections(self):
        """Close every connection, as a restart would."""

        async def drop():
            for socket in list(self.connections):
                await socket.close(1012)

        asyncio.run_coroutine_threadsafe(drop(), self.loop).result(5)

    def serve_page(self, connection, request):
        """HTTP: the static files as the server has them."""
        path = request.path.partition("?")[0]
        self.requests.append(request.path)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        told = f"{request.headers.get('Authorization', '')} {offered}"
        if path.startswith("/v1/") and self.token and self.token not in told:
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no")
        if path.startswith("/v1/realtime"):
            return None
        if path == "/v1/audio/voices":
            return _file(json.dumps({"object": "list", "data": VOICES}).encode(), "a.json")
        file = _file_of(path)
        if not file.is_file():
            return connection.respond(HTTPStatus.NOT_FOUND, "not here")
        return _file(file.read_bytes(), file.name)

    async def connected(self, socket):
        """A WebSocket: a client, or an observer."""
        self.connections.add(socket)
        try:
            if socket.request.path.startswith("/v1/realtime/observe"):
                self.observers.add(socket)
                await socket.wait_closed()
            else:
                await FakeSession(self, socket).run()
        finally:
            self.connections.discard(socket)
            self.observers.discard(socket)


def _file_of(path):
    if path == "/":
        return CLIENTS / "web/index.html"
    if path.startswith("/overlay/"):
        name = path.removeprefix("/overlay/")
        return CLIENTS / "overlay" / (name if "." in name else f"{name}.html")
    return CLIENTS / "web" / path.lstrip("/")


def _file(content, name):
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Connection": "close",
            "Content-Security-Policy": (
                "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:"
            ),
        }
    )
    return Response(HTTPStatus.OK, "OK", headers, content)


class FakeSession:
    """One conversation."""

    def __init__(self, server, socket):
        self.server, self.socket = server, socket
        self.session = {
            "type": "realtime", "id": "sess_1", "model": "selftalk", "output_modalities": ["audio"],
            "audio": {
                "input": {"turn_detection": {"type": "server_vad", "interrupt_response": True}},
                "output": {"voice": "default"},
            },
            "selftalk": {"self": "Mirror", "selves": SELVES},
        }  # fmt: skip
        self.heard_ms = self.loud_ms = self.quiet_ms = 0
        self.speaking_since = None
        self.numbers = {}
        self.reply = None

    async def run(self):
        """Answer whatever comes until the client goes."""
        await self.send("session.created", session=self.session)
        if "resume=" in self.socket.request.path:  # as after a restart
            await self.send("selftalk.resumed", items=[])
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                event = json.loads(text)
                self.server.received.append(event)
                await getattr(self, event["type"].replace(".", "_"))(event)
        self.stop()

    async def send(self, kind, **fields):
        """Tell the client, and whoever observes."""
        event = {"type": kind, "event_id": self.new("event"), **fields}
        await self.socket.send(json.dumps(event))
        if kind == "response.output_audio.delta":
            seconds = len(base64.b64decode(event["delta"])) / 2 / RATE_HZ
            event = event | {"delta": "", "duration_ms": 1000 * seconds}
        for observer in list(self.server.observers):
            with contextlib.suppress(ConnectionClosed):
                await observer.send(json.dumps(event))

    def new(self, what):
        self.numbers[what] = self.numbers.get(what, 0) + 1
        return f"{what}_{self.numbers[what]}"

    # --- what a client says -----------------------------------------------------------------

    async def session_update(self, event):
        merge(self.session, event["session"])
        await self.send("session.updated", session=self.session)

    async def input_audio_buffer_append(self, event):
        samples = np.frombuffer(base64.b64decode(event["audio"]), "<i2") / 32768
        ms = 1000 * len(samples) // RATE_HZ
        self.heard_ms += ms
        loud = np.sqrt(np.mean(samples**2)) > LOUD
        self.loud_ms = self.loud_ms + ms if loud else 0
        self.quiet_ms = 0 if loud else self.quiet_ms + ms
        if self.speaking_since is None and self.loud_ms >= SHORTEST_SPEECH_MS:
            await self.speech_started()
        elif self.speaking_since is not None and self.quiet_ms >= LONGEST_PAUSE_MS:
            await self.speech_stopped()

    async def conversation_item_create(self, event):
        await self.add_item(event["item"] | {"id": self.new("item")})

    async def response_create(self, event):
        del event
        self.respond()

    async def response_cancel(self, event):
        del event
        await self.cancel("client_cancelled")

    async def conversation_item_truncate(self, event):
        told = {key: event[key] for key in ("item_id", "content_index", "audio_end_ms")}
        heard = [
            word["text"] for word in self.server.words if word["start_ms"] < event["audio_end_ms"]
        ]
        await self.send("conversation.item.truncated", **told, transcript=" ".join(heard))

    # --- what happens -----------------------------------------------------------------------

    async def speech_started(self):
        self.speaking_since = self.new("item")
        start = self.heard_ms - self.loud_ms
        await self.send(
            "input_audio_buffer.speech_started", item_id=self.speaking_since, audio_start_ms=start
        )
        await self.cancel("turn_detected")

    async def speech_stopped(self):
        item, self.speaking_since = self.speaking_since, None
        end = self.heard_ms - self.quiet_ms
        await self.send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=end)
        await self.send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        content = [{"type": "input_audio", "transcript": None}]
        await self.add_item({"id": item, "type": "message", "role": "user", "content": content})
        await self.send(
            "conversation.item.input_audio_transcription.completed",
            item_id=item, content_index=0, transcript=QUESTION,
            usage={"type": "duration", "seconds": 1.0},
        )  # fmt: skip
        self.respond()

    async def add_item(self, item):
        await self.send("conversation.item.added", item=item, previous_item_id=None)
        await self.send("conversation.item.done", item=item, previous_item_id=None)

    def respond(self):
        self.reply = asyncio.create_task(self.speak(self.new("resp"), self.new("item")))

    def stop(self):
        if self.reply is not None:
            self.reply.cancel()
            self.reply = None

    async def cancel(self, reason):
        if self.reply is not None and not self.reply.done():
            self.stop()
            details = {"type": "cancelled", "reason": reason}
            response = {"id": f"resp_{self.numbers['resp']}", "status": "cancelled", "output": []}
            await self.send("response.done", response=response | {"status_details": details})

    async def speak(self, response_id, item_id):
        item = {"id": item_id, "type": "message", "role": "assistant", "content": []}
        place = {
            "response_id": response_id,
            "item_id": item_id,
            "output_index": 0,
            "content_index": 0,
        }
        response = {"id": response_id, "status": "in_progress", "output": []}
        await self.send("response.created", response=response)
        await asyncio.sleep(0.15)
        await self.send(
            "response.output_item.added", response_id=response_id, output_index=0, item=item
        )
        await self.send("conversation.item.added", item=item, previous_item_id=None)
        await self.send("response.output_audio_transcript.delta", **place, delta=self.server.answer)
        await self.send_sound(place)
        await self.send("response.output_audio.done", **place)
        await self.send(
            "response.output_audio_transcript.done", **place, transcript=self.server.answer
        )
        await self.send("response.done", response=response | {"status": "completed"})
        await self.send("selftalk.turn.report", **place, stages=STAGES, voice_to_voice_ms=374.0)

    async def send_sound(self, place):
        """Pieces at twice the speed at which they are heard."""
        size = RATE_HZ * PIECE_MS // 1000
        for number, start in enumerate(range(0, len(self.server.sound), size)):
            piece = self.server.sound[start : start + size]
            begun = [
                w
                for w in self.server.words
                if number * PIECE_MS <= w["start_ms"] < (number + 1) * PIECE_MS
            ]
            delta = base64.b64encode(piece.tobytes()).decode()
            await self.send("response.output_audio.delta", **place, delta=delta, words=begun)
            await asyncio.sleep(PIECE_MS / 2000)


def merge(into, changes):
    """Deep merge, as `session.update` does it."""
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


@contextlib.contextmanager
def running(fake, port=0):
    """Serve from a thread of its own; yield "127.0.0.1:port"."""
    started, ended = threading.Event(), None
    address, transports = [], []

    class Connection(ServerConnection):
        def connection_made(self, transport):
            transports.append(transport)
            super().connection_made(transport)

    async def serve_until_ended():
        nonlocal ended
        ended = asyncio.Event()
        fake.loop = asyncio.get_running_loop()
        async with serve(
            fake.connected, "127.0.0.1", port, process_request=fake.serve_page,
            select_subprotocol=lambda _c, offered: "realtime" if "realtime" in offered else None,
            compression=None, max_size=None, create_connection=Connection,
        ) as server:  # fmt: skip
            address.append("{}:{}".format(*server.sockets[0].getsockname()))
            started.set()
            await ended.wait()
        for transport in transports:  # a browser opens connections that it never uses
            transport.abort()
        await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=(serve_until_ended(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield address[0]
    finally:
        fake.loop.call_soon_threadsafe(ended.set)
        thread.join(10)
