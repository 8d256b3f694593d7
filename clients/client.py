"""VoiceClient: talk with a server from Python; asyncio, and nothing but the protocol.

    async with VoiceClient("ws://127.0.0.1:8765") as client:
        await client.say_text("Hello.")
        async for event in client:
            ...

A connection that breaks is made again, and the conversation goes on where it was; to a server that
forgot it the settings are told again. Knows nothing about microphones and loudspeakers.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from selftalk.clients.failures import is_final
from selftalk.stream.protocol import ClientEvent, ServerEvent, decode_server_event, encode
from selftalk.stream.protocol import client_events as say
from selftalk.stream.protocol import server_events as events
from selftalk.stream.protocol.items import InputText, MessageItem

DEFAULT_URL = "ws://127.0.0.1:8765"
TRIES = 6
FIRST_WAIT_SECONDS = 0.25
FINAL_CLOSE_CODES = frozenset({1000, 1008, 1009})
"""After these nobody comes back: it was meant, or it would only happen again."""


class VoiceClient:
    """One conversation with a server."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str = "",
        session: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        resume: bool = True,
    ) -> None:
        """Take note of a server; nothing is sent yet.

        Args:
            url: "ws://host:port" or "wss://…".
            token: the server's, if it has one.
            session: settings to begin with, as `session.update` takes them.
            query: more parameters of the address, such as `intent`.
            resume: whether to come back when the connection breaks.
        """
        self.session: events.SessionCreated | events.SessionUpdated | None = None
        """What the server last told about its settings."""
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._settings: dict[str, Any] = copy.deepcopy(session) if session else {}
        self._query = {"selftalk": "1"} | (query or {})
        self._resume = resume
        self._socket: ClientConnection | None = None
        self._closed = False
        self._failures = 0  # since the server last took us in

    async def __aenter__(self) -> "VoiceClient":
        """Connect.

        Raises:
            OSError: nobody listens there.
            InvalidURI: that is no ws:// address.
            InvalidStatus: the server does not let us in.
        """
        await self._connect()
        if self._settings:
            await self.configure(**self._settings)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def session_id(self) -> str:
        """The id under which the conversation can be taken up again."""
        return self.session.session.id if self.session else ""

    async def close(self) -> None:
        """End the conversation."""
        self._closed = True
        if self._socket is not None:
            await self._socket.close()

    # --- what to tell the server -----------------------------------------------------------------

    async def send(self, event: ClientEvent) -> None:
        """Send any event; what is sent while the line is down is lost, as sound would be."""
        assert self._socket is not None, "connect first: async with VoiceClient(…)"
        try:
            await self._socket.send(encode(event).decode())
        except ConnectionClosed:
            if self._closed or not self._resume:
                raise

    async def send_audio(self, pcm: bytes) -> None:
        """Send sound of the user: 16 bit, little-endian, mono, 24 kHz."""
        await self.send(say.InputAudioBufferAppend(audio=pcm))

    async def say_text(self, text: str) -> None:
        """Say something in writing, and ask for the answer."""
        item = MessageItem(role="user", content=[InputText(text=text)])
        await self.send(say.ConversationItemCreate(item=item))
        await self.send(say.ResponseCreate())

    async def configure(self, **session: Any) -> None:
        """Change settings; what is not named stays."""
        _merge(self._settings, session)
        await self.send(say.SessionUpdate(session=session))

    async def cancel(self) -> None:
        """Stop the reply that is being made."""
        await self.send(say.ResponseCancel())

    async def heard(self, item_id: str, audio_end_ms: int) -> None:
        """Tell how much of a reply was played before it was cut."""
        await self.send(say.ConversationItemTruncate(item_id=item_id, audio_end_ms=audio_end_ms))

    # --- what the server tells -------------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[ServerEvent]:
        """Yield what happens until one side ends the conversation.

        Raises:
            ConnectionClosed: the line broke and could not be had again.
        """
        while True:
            try:
                async for event in self._events():
                    yield event
            except ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd else 1006
                if self._closed or code in FINAL_CLOSE_CODES:
                    return
                if not self._resume:
                    raise
                await self._come_back(error)

    async def _events(self) -> AsyncIterator[ServerEvent]:
        """Events of one connection, to whatever ends it."""
        assert self._socket is not None, "connect first: async with VoiceClient(…)"
        while True:
            event = decode_server_event(await self._socket.recv())
            match event:
                case events.SessionCreated() | events.SessionUpdated():
                    self.session, self._failures = event, 0
                case events.ResumedEvent(items=[]) if self._settings:  # it begins anew
                    await self.configure(**self._settings)
            yield event

    async def _connect(self) -> None:
        query = self._query | ({"resume": self.session_id} if self.session_id else {})
        self._socket = await connect(
            f"{self._url}/v1/realtime?{urlencode(query)}",
            additional_headers=self._headers,
            compression=None,
            max_size=None,
        )

    async def _come_back(self, broken: ConnectionClosed) -> None:
        """Connect again, more and more patiently; a server that refuses is not asked again."""
        while self._failures < TRIES:
            await asyncio.sleep(FIRST_WAIT_SECONDS * 2**self._failures)
            self._failures += 1
            try:
                await self._connect()
                return
            except (OSError, InvalidHandshake, ConnectionClosed) as error:
                if is_final(error):
                    raise
        raise broken


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """What is present replaces what is there, deep down, as the server does it."""
    for key, value in changes.items():
        known = into.get(key)
        if isinstance(value, Mapping) and isinstance(known, dict):
            _merge(known, value)
        else:
            into[key] = value
