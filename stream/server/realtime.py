"""Routes of the Realtime API: /v1/realtime and /v1/realtime/client_secrets.

Accepts connections, reads and writes frames, and ends what must end; what is said in between is
`connection.py`'s.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from selftalk.stream.errors import SelftalkError
from selftalk.stream.protocol import (
    BETA_HEADER,
    EXTENSIONS_PARAMETER,
    SUBPROTOCOL,
    ClientEvent,
    ProtocolError,
    decode_client_event,
    encode,
)
from selftalk.stream.protocol import server_events as events
from selftalk.stream.protocol.settings import (
    AudioInput,
    AudioOutput,
    InputOnly,
    RealtimeSession,
    SessionAudio,
    SessionSettings,
    TranscriptionSession,
)
from selftalk.stream.server.admission import Refusal
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.beta import decode_beta_event, encode_beta_event
from selftalk.stream.server.connection import Connection
from selftalk.stream.server.inbox import Inbox
from selftalk.stream.server.item_conversation import ItemConversation, new_id
from selftalk.stream.server.outbox import ClientGoneError, ClientStalledError, Outbox
from selftalk.stream.server.parked import Parked
from selftalk.stream.server.peer_log import PeerLog
from selftalk.stream.server.wire import Message, wire_of

logger = logging.getLogger(__name__)

CLOSE_NORMAL, CLOSE_RESTART, CLOSE_TRY_LATER = 1000, 1012, 1013
MAX_OBSERVERS = 64
OUR_EVENTS = (
    events.StateEvent,
    events.PartialEvent,
    events.IgnoredEvent,
    events.TurnReported,
    events.ResumedEvent,
)
SESSION_SECONDS = 24 * 3600
GONE = (WebSocketDisconnect, ClientGoneError, RuntimeError)
"""How it shows that a client left."""
REFUSALS = {
    Refusal.FULL: (CLOSE_TRY_LATER, "the server holds as many conversations as it can"),
    Refusal.PEER_LIMIT: (CLOSE_TRY_LATER, "there are too many conversations from this address"),
    Refusal.DRAINING: (CLOSE_RESTART, "the server is about to restart"),
}


@dataclass(slots=True)
class Realtime:
    """What the connections of one server share."""

    context: ServerContext
    parked: Parked = field(default_factory=Parked)
    log: PeerLog = field(default_factory=lambda: PeerLog(logger))
    open: set["Socket"] = field(default_factory=set)
    newest: "Socket | None" = None
    """Whom observers watch."""
    observers: set[Outbox] = field(default_factory=set)


def routes(context: ServerContext) -> list[BaseRoute]:
    """The routes; what connections share is kept in `context.extra`."""
    shared = context.extra["realtime"] = Realtime(context)
    context.telemetry.gauge(
        "input_queue_seconds",
        lambda: max((socket.connection.queued_seconds for socket in shared.open), default=0.0),
    )
    context.telemetry.gauge(
        "output_queue_bytes",
        lambda: max((socket.outbox.waiting_bytes for socket in shared.open), default=0),
    )

    async def realtime(websocket: WebSocket) -> None:
        await _serve(shared, websocket)

    async def observe(websocket: WebSocket) -> None:
        await _observe(shared, websocket)

    async def client_secrets(_request: Request) -> Response:
        ticket = context.tickets.issue()
        expires = int(time.time()) + 60
        return JSONResponse(
            {"value": ticket, "expires_at": expires, "session": {"type": "realtime"}}
        )

    return [
        WebSocketRoute("/v1/realtime", realtime),
        WebSocketRoute("/v1/realtime/observe", observe),
        Route("/v1/realtime/client_secrets", client_secrets, methods=["POST"]),
    ]


async def drain(context: ServerContext) -> None:
    """Let replies under way come to their end, then end every conversation."""
    context.admission.draining = True
    shared: Realtime = context.extra["realtime"]

    async def end(socket: "Socket") -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(context.server.drain_seconds):
                await socket.connection.finish_reply()
                await socket.outbox.flush()
        await socket.end(CLOSE_RESTART, "the server restarts")

    await asyncio.gather(*(end(socket) for socket in list(shared.open)))


async def _serve(shared: Realtime, websocket: WebSocket) -> None:
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    peer = websocket.client.host if websocket.client else "local"
    with shared.context.admission.admitted(peer) as refusal:
        if refusal is not None:
            await _turn_away(websocket, refusal)
            return
        await _leave_to(shared, websocket.query_params.get("resume", ""))
        socket = Socket(shared, websocket, peer)
        shared.open.add(socket)
        shared.newest = socket
        try:
            await socket.run()
        finally:
            shared.open.discard(socket)
            if shared.newest is socket:
                shared.newest = None


async def _leave_to(shared: Realtime, session_id: str) -> None:
    """End a line that its client has given up already, before we could notice that it broke."""
    for socket in list(shared.open):
        if socket.session_id == session_id:
            await socket.leave()


async def _observe(shared: Realtime, websocket: WebSocket) -> None:
    """Show what the newest conversation is told, its audio by length only."""
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    if len(shared.observers) >= MAX_OBSERVERS:
        await websocket.close(CLOSE_TRY_LATER, "there are too many observers")
        return
    outbox = Outbox(wire_of(websocket), shared.context.server.stalled_reader_seconds)
    if shared.newest is not None:
        outbox.send(events.SessionCreated(session=shared.newest.connection.settings))
    shared.observers.add(outbox)
    tasks = [asyncio.create_task(outbox.run()), asyncio.create_task(_until_gone(websocket))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        shared.observers.discard(outbox)
        await _stop(tasks)
    if any(isinstance(task.exception(), ClientStalledError) for task in done):
        wire_of(websocket).abort()


async def _until_gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _turn_away(websocket: WebSocket, refusal: Refusal) -> None:
    code, message = REFUSALS[refusal]
    details = events.ErrorDetails(type="server_error", code=refusal.value, message=message)
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(2):
            outbox = Outbox(wire_of(websocket), 1)
            outbox.send(events.Error(error=details))
            await outbox.flush()
            await websocket.close(code, message)


class Socket:
    """One connection, from its acceptance to its end."""

    def __init__(self, shared: Realtime, websocket: WebSocket, peer: str) -> None:
        self._shared = shared
        self._websocket = websocket
        self._peer = peer
        context = shared.context
        query = websocket.query_params
        beta = (
            websocket.headers.get(BETA_HEADER[0]) == BETA_HEADER[1]
            or query.get("dialect") == "beta"
        )
        self._decode: Callable[[Message], ClientEvent] = (
            decode_beta_event if beta else decode_client_event
        )
        self.outbox = Outbox(
            wire_of(websocket),
            context.server.stalled_reader_seconds,
            encode_beta_event if beta else None,
        )
        resumed = shared.parked.take(query.get("resume", ""))
        self.session_id = new_id("sess")
        settings = _first_settings(context, query.get("model"), query.get("intent"))
        conversation = ItemConversation(
            max_context_characters=context.config.agent.max_context_characters
        )
        if resumed is not None:
            settings, conversation = resumed
        settings.id = self.session_id
        settings.expires_at = int(time.time()) + SESSION_SECONDS
        self._wants_ours = query.get(EXTENSIONS_PARAMETER) == "1"
        self._comes_back = "resume" in query
        self.connection = Connection(context, settings, conversation, self._tell)
        self._inbox = Inbox(wire_of(websocket), self._take, self.connection)
        self._ended, self._left = asyncio.Event(), asyncio.Event()
        self._end_code, self._end_reason = CLOSE_NORMAL, ""

    def _tell(self, event: events.ServerEvent) -> None:
        """Tell the client, and whoever observes."""
        if self._wants_ours or not isinstance(event, OUR_EVENTS):
            self.outbox.send(event)
        if self._shared.observers and self._shared.newest is self:
            shown = _without_audio(event)
            for observer in self._shared.observers:
                observer.send_encoded(shown)

    async def end(self, code: int, reason: str) -> None:
        """End the connection from our side."""
        self._end_code, self._end_reason = code, reason
        self._ended.set()

    async def leave(self) -> None:
        """End the connection, and wait until its conversation may go on elsewhere."""
        await self.end(CLOSE_NORMAL, "the conversation goes on elsewhere")
        await self._left.wait()

    async def run(self) -> None:
        """Serve until one side ends it."""
        tasks = [
            asyncio.create_task(self.connection.run(), name="conversation"),
            asyncio.create_task(self.outbox.run(), name="outbox"),
            asyncio.create_task(self._read(), name="reader"),
            asyncio.create_task(self._until_told(), name="end"),
        ]
        if self._comes_back:
            items = [stored.item for stored in self.connection.conversation.items]
            asyncio.get_running_loop().call_soon(
                lambda: self._tell(events.ResumedEvent(items=items))
            )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._inbox.close()
            await _stop(tasks)
            self._park()
            self._left.set()
        await self._close([task for task in done if not task.cancelled()])

    async def _close(self, done: "list[asyncio.Task[None]]") -> None:
        errors = [error for error in (task.exception() for task in done) if error is not None]
        gone = any(isinstance(error, GONE) for error in errors)
        stalled = any(isinstance(error, ClientStalledError) for error in errors)
        if stalled:
            self._shared.log.warn(self._peer, "takes nothing any more and was cut off")
            self._shared.context.telemetry.count("stalled_clients_total")
            wire_of(self._websocket).abort()
            return
        for error in errors:
            if not isinstance(error, GONE):
                logger.error("a conversation broke off", exc_info=error)
                self._end_code, self._end_reason = 1011, "something went wrong"
        if not gone:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._websocket.close(self._end_code, self._end_reason)

    def _park(self) -> None:
        connection = self.connection
        self._shared.parked.put(self.session_id, connection.settings, connection.conversation)

    async def _until_told(self) -> None:
        await self._ended.wait()

    async def _read(self) -> None:
        """Wait for the client's farewell; of messages, ASGI has only those before the Inbox's."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            self._inbox.push(message.get("text") or message.get("bytes") or b"")

    def _take(self, text: Message) -> None:
        """Do what a message asks for; what is wrong with it is told, and the session goes on."""
        event = None
        try:
            event = self._decode(text)
            self.connection.take(event)
        except ProtocolError as error:
            event_id = error.event_id or (event.event_id if event else None)
            self._refuse(str(error), error.code, event_id)
        except SelftalkError as error:
            self._refuse(str(error), "invalid_value", event.event_id if event else None)
        except Exception as error:
            logger.exception("an event of a client failed")
            message = f"the server failed at this event ({type(error).__name__})"
            event_id = event.event_id if event else None
            self._refuse(message, "internal_error", event_id, kind="server_error")

    def _refuse(
        self, message: str, code: str, event_id: str | None, kind: str = "invalid_request_error"
    ) -> None:
        self._shared.context.telemetry.count("client_errors_total", code=code)
        self._shared.log.warn(self._peer, f"a message was refused ({code})")
        details = events.ErrorDetails(
            type=kind, code=code, message=message[:500], event_id=event_id
        )
        self.outbox.send(events.Error(error=details))


def _without_audio(event: events.ServerEvent) -> bytes:
    if isinstance(event, events.OutputAudioDelta):
        event = msgspec.structs.replace(event, delta=b"")
    return encode(event)


def _first_settings(
    context: ServerContext, model: str | None, intent: str | None
) -> SessionSettings:
    if intent == "transcription":
        return TranscriptionSession(audio=InputOnly(input=AudioInput()))
    output = AudioOutput(voice=context.default_voice)
    return RealtimeSession(model=(model or context.model)[:100], audio=SessionAudio(output=output))


async def _stop(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
