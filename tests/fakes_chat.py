"""A chat server on loopback that answers what it is told to, and an embedded model that does."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


def text_event(text: str) -> str:
    return "data: " + json.dumps({"choices": [{"delta": {"content": text}}]}) + "\n\n"


@dataclass
class FakeChatServer:
    """Sends `pieces` one by one to each chat request; `lists` are its GET answers."""

    pieces: list[str] = field(default_factory=lambda: [text_event("Hi."), "data: [DONE]\n\n"])
    status: int = 200
    headers: str = ""
    lists: dict[str, Any] = field(default_factory=dict)
    endless: bool = False
    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    pieces_sent: int = 0
    broken_off: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeChatServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                length = head.lower().partition("content-length:")[2].split("\r\n")[0].strip()
                body = await reader.readexactly(int(length or 0))
                if body:
                    self.requests.append(json.loads(body))
                path = head.split()[1]
                await self._answer(path, writer)
            except ConnectionError:
                self.broken_off.set()
                raise
            finally:
                writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        listed = self.lists.get(path)
        pieces = self.pieces if listed is None else [json.dumps(listed)]
        status = self.status if listed is None else 200
        writer.write(
            f"HTTP/1.1 {status} X\r\nConnection: close\r\n{self.headers}"
            "Content-Type: text/event-stream\r\n\r\n".encode()
        )
        while True:
            for piece in pieces:
                writer.write(piece.encode())
                await writer.drain()
                self.pieces_sent += 1
                await asyncio.sleep(0.001 if self.endless else 0)
            if not self.endless or listed is not None:
                return


class FakeLlama:
    """Stands in for `xllamacpp.Server`: says its deltas, forever if told so."""

    def __init__(self, deltas: list[str], *, endless: bool = False) -> None:
        self.deltas = deltas
        self.endless = endless
        self.requests: list[dict[str, Any]] = []
        self.stopped = threading.Event()
        self.tokens = 0
        self.at_once = 0
        self.most_at_once = 0

    def handle_chat_completions(
        self, request: dict[str, Any], on_chunk: Callable[[dict[str, Any]], bool]
    ) -> None:
        self.requests.append(request)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self._generate(on_chunk)
        finally:
            self.at_once -= 1

    def _generate(self, on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        # The real one calls back without content too: while it reads the prompt.
        if on_chunk({"choices": [{"delta": {"role": "assistant", "content": None}}]}):
            self.stopped.set()
            return
        while True:
            for delta in self.deltas:
                self.tokens += 1
                if on_chunk({"choices": [{"delta": {"content": delta}}]}):
                    self.stopped.set()
                    return
            if not self.endless:
                return
