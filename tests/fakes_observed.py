"""A server that shows one spoken word to whoever observes it."""

import asyncio
import contextlib
import json

from websockets.asyncio.server import serve

WORD = {"text": "ah", "start_ms": 0, "end_ms": 600, "phones": [["AA1", 0, 600]]}
DELTA = {
    "type": "response.output_audio.delta",
    "event_id": "event_2",
    "item_id": "item_1",
    "delta": "",
    "duration_ms": 600,
    "words": [WORD],
}


@contextlib.asynccontextmanager
async def observed_server(first="", paths=None):
    """Yield the address; `first` is sent before the word, `paths` collects what was asked for."""

    async def show(socket):
        if paths is not None:
            paths.append((socket.request.path, socket.request.headers.get("Authorization")))
        if first:
            await socket.send(first)
        await socket.send(json.dumps(DELTA))
        with contextlib.suppress(asyncio.CancelledError):
            await socket.wait_closed()

    async with serve(show, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"ws://{host}:{port}"
