"""Wire: a WebSocket that takes and gives messages without anybody waiting.

ASGI sends and receives by a coroutine through every layer, and a message of 20 ms of audio is
hardly worth one. So what a conversation says is written straight to the transport, and what it is
told comes straight from the parser; the handshake, pings and the farewell stay uvicorn's. Knows
nothing about what is sent.
"""

import struct
from collections.abc import Callable
from typing import Any, Protocol

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from selftalk.stream.server.client_frames import ClientFrames, whole_text

WIRE_EXTENSION = "selftalk.wire"
TEXT_MESSAGE = 0x81
"""The first byte of a text message in one frame (RFC 6455, 5.2)."""
END_OF_REQUEST = b"\r\n\r\n"
Message = str | bytes


class Wire(Protocol):
    """What an Outbox and an Inbox need of a connection."""

    on_change: Callable[[], None]
    """Called when there is room again, and when the connection is gone."""
    on_message: Callable[[Message], None] | None
    """Called with every message; None leaves them to ASGI."""

    @property
    def full(self) -> bool:
        """Whether the client should take something first."""
        ...

    @property
    def gone(self) -> bool:
        """Whether nothing can be sent any more."""
        ...

    def write(self, message: bytes) -> None:
        """Send a text message; what is written to a closing connection is lost."""
        ...

    def hold(self) -> None:
        """Read no more from the client; what was read already still comes."""
        ...

    def let_in(self) -> None:
        """Read again."""
        ...

    def abort(self) -> None:
        """Drop the connection with whatever waits in its buffers."""
        ...


class DirectWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which the app may also use as a Wire."""

    on_change: Callable[[], None] = staticmethod(lambda: None)
    on_message: Callable[[Message], None] | None = None
    _incoming: ClientFrames | None = None

    def data_received(self, data: bytes) -> None:
        """Read what the client sent: whole messages here, all else as uvicorn does."""
        if self._incoming is not None:
            for frame in self._incoming.push(data):
                self._take_frame(frame)
            if refused := self._incoming.too_long():
                super().data_received(refused)
            return
        super().data_received(data)
        if self.handshake_initiated and data.endswith(END_OF_REQUEST):
            self._incoming = ClientFrames(self.config.ws_max_size)

    def _take_frame(self, frame: bytes) -> None:
        take = self.on_message
        between = self.conn.state is State.OPEN and not (self.frames or self.close_sent)
        text = whole_text(frame) if take is not None and between else None
        message = None if text is None else _decoded(text)
        if take is None or message is None:
            super().data_received(frame)
        else:
            take(message)

    def handle_connect(self, event: Any) -> None:
        """Let the app know of the wire."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][WIRE_EXTENSION] = {"wire": self}

    @property
    def full(self) -> bool:
        """Whether the transport asked to write no more."""
        return not self.writable.is_set()

    @property
    def gone(self) -> bool:
        """Whether the transport is lost."""
        return self.disconnected

    def write(self, message: bytes) -> None:
        """Write a text message to the transport, which gathers what is written in one step."""
        if self.conn.state is State.OPEN and not (self.close_sent or self.transport.is_closing()):
            self.transport.write(frame_header(len(message)) + message)

    def send_receive_event_to_app(self) -> None:
        """A message is complete: it is taken here, unless nobody does or it cannot be read."""
        take, message = self.on_message, self._message()
        if take is None or message is None or self.close_sent:
            super().send_receive_event_to_app()
            return
        self.frames = []
        take(message)

    def _message(self) -> Message | None:
        """The message that came in these frames; None if it is no text and should be."""
        whole = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        return bytes(whole) if self.curr_msg_data_type == "bytes" else _decoded(whole)

    def hold(self) -> None:
        """Read no more; in the words of uvicorn, which reads again when it closes."""
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def let_in(self) -> None:
        """Read again."""
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection."""
        self.transport.abort()

    def resume_writing(self) -> None:
        """There is room again."""
        super().resume_writing()
        self.on_change()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        super().connection_lost(exc)
        self.on_change()


def frame_header(length: int) -> bytes:
    """What precedes a text message of so many bytes that a server sends in one frame."""
    if length < 126:
        return bytes((TEXT_MESSAGE, length))
    if length < 1 << 16:
        return struct.pack("!BBH", TEXT_MESSAGE, 126, length)
    return struct.pack("!BBQ", TEXT_MESSAGE, 127, length)


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def wire_of(websocket: WebSocket) -> Wire:
    """The wire under a WebSocket of our server."""
    wire: Wire = websocket.scope["extensions"][WIRE_EXTENSION]["wire"]
    return wire
