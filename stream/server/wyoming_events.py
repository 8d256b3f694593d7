r"""Events of the Wyoming protocol on a stream: one line of JSON, more JSON, a payload.

    {"type": …, "data": {…}, "data_length": n, "payload_length": m}\n   n bytes   m bytes

Read with limits and decoded strictly: whoever sends something else, a browser for instance, is
shown the door. Knows nothing about what events mean.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from selftalk.stream.errors import SelftalkError
from selftalk.stream.server.api_errors import ApiError

LONGEST_LINE_BYTES = 1 << 16
MOST_DATA_BYTES = 1 << 18
MOST_PAYLOAD_BYTES = 1 << 20
VERSION = "1.10.0"  # of the protocol that this speaks

Data = dict[str, Any]


class WyomingError(SelftalkError, ValueError):
    """What came is no event of this protocol, or one that makes no sense."""


class _Header(msgspec.Struct, omit_defaults=True):
    type: Annotated[str, Meta(min_length=1, max_length=64)]
    data: Data | None = None
    data_length: Annotated[int, Meta(ge=0, le=MOST_DATA_BYTES)] | None = None
    payload_length: Annotated[int, Meta(ge=0, le=MOST_PAYLOAD_BYTES)] | None = None
    version: str | None = None


class Event(msgspec.Struct, frozen=True):
    """One event."""

    type: str
    data: Data = {}
    payload: bytes = b""


async def read_event(reader: asyncio.StreamReader) -> Event | None:
    """The next event; None when the other side has closed, even in the middle of one.

    Raises:
        WyomingError: what came is no event, or a large one.
    """
    try:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            return None
        header = msgspec.json.decode(line, type=_Header)
        more = await reader.readexactly(header.data_length or 0)
        data = msgspec.json.decode(more, type=Data) if more else {}
        payload = await reader.readexactly(header.payload_length or 0)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise WyomingError("this is not the Wyoming protocol") from error
    return Event(header.type, {**(header.data or {}), **data}, payload)


def encode_event(kind: str, data: Mapping[str, Any] | None = None, payload: bytes = b"") -> bytes:
    """An event as bytes."""
    encoded = msgspec.json.encode(data) if data else b""
    header = _Header(
        type=kind,
        data_length=len(encoded) or None,
        payload_length=len(payload) or None,
        version=VERSION,
    )
    return msgspec.json.encode(header) + b"\n" + encoded + payload


class Line:
    """The way back to one client; may be used by several tasks."""

    def __init__(self, writer: asyncio.StreamWriter, stalled_seconds: float) -> None:
        """Take a connection whose client may read nothing for so long."""
        self.peer = str((writer.get_extra_info("peername") or ("",))[0])
        self._writer = writer
        self._stalled_seconds = stalled_seconds

    async def send(
        self, kind: str, data: Mapping[str, Any] | None = None, payload: bytes = b""
    ) -> None:
        """Send an event.

        Raises:
            ConnectionError: the client is gone.
            TimeoutError: the client takes nothing, and was cut off.
        """
        self._writer.write(encode_event(kind, data, payload))
        try:
            async with asyncio.timeout(self._stalled_seconds):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise

    async def fail(self, error: Exception) -> None:
        """Tell an error and hang up: clients wait for their answer until the line is cut."""
        try:
            await self.send("error", {"text": ApiError.of(error).message, "code": "failed"})
        except (ConnectionError, TimeoutError):
            return
        self._writer.close()
