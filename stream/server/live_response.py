"""LiveResponse: a body that is generated while it is sent, and not a step longer than it is read.

When the client leaves, even before the first byte, generation stops within a step. A client that
takes nothing for a while is cut off. What goes wrong before the first byte is a proper error;
after it, the connection breaks, so that nobody takes a part for the whole.
Knows nothing about sound.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from selftalk.stream.server.admission import Refusal
from selftalk.stream.server.api_errors import ApiError

log = logging.getLogger(__name__)

ABORT = "selftalk.abort"
"""The extension of the scope by which the server lets a connection be cut."""

Admit = Callable[[], AbstractContextManager[Refusal | None]]
Pieces = Callable[[], AsyncGenerator[bytes, None]]
TellError = Callable[[Exception], Response]


def everybody() -> AbstractContextManager[Refusal | None]:
    """Lets everybody in."""
    return nullcontext(None)


def event(fields: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(fields) + b"\n\n"


def openai_error(error: Exception) -> Response:
    """An error in the words of the OpenAI API."""
    return ApiError.of(error).response()


class LiveResponse(Response):
    """Sends what a generator yields."""

    def __init__(
        self,
        pieces: Pieces,
        media_type: str,
        *,
        admit: Admit = everybody,
        headers: Mapping[str, str] | None = None,
        stalled_seconds: float = 5.0,
        whole: bool = False,
        tell_error: TellError = openai_error,
        on_first: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """Prepare a response.

        Args:
            pieces: called to begin; closing what it returns must stop the work.
            media_type: of the body.
            admit: asked for a place, which is held while the body is made.
            headers: more of them.
            stalled_seconds: how long a client may take nothing.
            whole: send it in one, with its length, when all of it is there.
            tell_error: makes the response of an error before the first byte.
            on_first: told after how many seconds the first piece was there.
        """
        super().__init__(None, 200, headers, media_type)
        del self.headers["content-length"]  # of the empty body that nobody sends
        self._pieces = pieces
        self._admit = admit
        self._stalled_seconds = stalled_seconds
        self._whole = whole
        self._tell_error = tell_error
        self._on_first = on_first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, until all is sent or the client is gone; for HEAD, nothing is made."""
        if scope.get("method") == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send(_body(b"", more=False))
            return
        sending = asyncio.ensure_future(self._answer(scope, receive, send))
        leaving = asyncio.ensure_future(_client_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        with self._admit() as refusal:
            if refusal is not None:
                await self._tell_error(ApiError.refused(refusal))(scope, receive, send)
                return
            async with aclosing(self._pieces()) as pieces:
                try:
                    first = await (_joined(pieces) if self._whole else anext(pieces, b""))
                except Exception as error:
                    await self._tell_error(error)(scope, receive, send)
                    return
                self._on_first(time.monotonic() - started)
                await self._send_body(first, pieces, scope, send)

    async def _send_body(
        self, first: bytes, rest: AsyncGenerator[bytes, None], scope: Scope, send: Send
    ) -> None:
        if self._whole:
            self.headers["content-length"] = str(len(first))
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            await self._soon(send, start)
            await self._soon(send, _body(first))
            async for piece in rest:
                if piece:
                    await self._soon(send, _body(piece))
            await self._soon(send, _body(b"", more=False))
        except TimeoutError:
            log.info("a client stopped reading and was cut off")
            _abort(scope)
        except Exception as error:
            log.warning("a response broke off: %s", error)
            _abort(scope)

    async def _soon(self, send: Send, message: dict[str, object]) -> None:
        async with asyncio.timeout(self._stalled_seconds):
            await send(message)


def _abort(scope: Scope) -> None:
    """Cut the connection; a mere close would wait for what the client does not take."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is not None:
        extension["abort"]()


def _body(piece: bytes, more: bool = True) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def _joined(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
