"""Bodies of requests: read up to a limit, and decoded strictly.

Knows nothing about what the fields mean.
"""

import asyncio
import contextlib
from typing import TypeVar

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from selftalk.stream.server.api_errors import TOO_LARGE, ApiError

Body = TypeVar("Body", bound=msgspec.Struct)

HEARD_OUT_BYTES, HEARD_OUT_SECONDS = 64 << 20, 5.0
"""How much of a body that is refused is still read, so that its sender hears why."""


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The body; never more of it in memory than the limit.

    Raises:
        ApiError: it is larger.
    """
    _check_announced(request, limit_bytes)
    pieces, received = [], 0
    async for piece in request.stream():
        received += len(piece)
        if received > limit_bytes:
            raise _too_large(limit_bytes)
        pieces.append(piece)
    return b"".join(pieces)


def limit_body(request: Request, limit_bytes: int) -> Request:
    """The same request, whose body cannot be read further than the limit.

    Raises:
        ApiError: while reading, when there is more.
    """
    _check_announced(request, limit_bytes)
    return Request(request.scope, _limited(request.receive, limit_bytes))


def decode_json(body: bytes, kind: type[Body]) -> tuple[Body, list[str]]:
    """Decode an object; also name the fields that `kind` does not have, sorted.

    Raises:
        ApiError: it is no JSON object, or a field is missing or of the wrong type.
    """
    try:
        decoded = msgspec.json.decode(body, type=kind)
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise bad_field(error) from error
    return decoded, sorted(fields.keys() - set(kind.__struct_encode_fields__))


def bad_field(error: Exception) -> ApiError:
    """A decoder's complaint as an error that names the field."""
    text = str(error) if isinstance(error, msgspec.MsgspecError) else "this cannot be read"
    message, _, place = text.partition(" - at `$")
    param = place.strip("`.").split(".")[0].split("[")[0] or None
    if message.startswith("Object missing required field"):
        param = message.split("`")[1]
        message = f"'{param}' is missing"
    elif param:
        message = f"'{param}': {message[0].lower()}{message[1:]}"
    return ApiError(message, param=param, code="invalid_value")


def answer_after_body(scope: Scope, receive: Receive, send: Send) -> Send:
    """Hear out who sends too much: a connection closed in its face would swallow the answer."""
    refused = False

    async def send_late(message: Message) -> None:
        nonlocal refused
        if message["type"] == "http.response.start":
            refused = message["status"] == TOO_LARGE
            refused = refused and not Headers(scope=scope).get("expect")
        elif refused and not message.get("more_body"):
            await send({**message, "more_body": True})
            await _hear_out(receive)
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    return send_late


async def _hear_out(receive: Receive) -> None:
    """Read what still comes and forget it, up to a limit of size and of time."""
    heard = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEARD_OUT_SECONDS):
            while heard < HEARD_OUT_BYTES:
                message = await receive()
                heard += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return


def _check_announced(request: Request, limit_bytes: int) -> None:
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 15 or int(announced) > limit_bytes:
        raise _too_large(limit_bytes)


def _limited(receive: Receive, limit_bytes: int) -> Receive:
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit_bytes:
            raise _too_large(limit_bytes)
        return message

    return receive_limited


def _too_large(limit_bytes: int) -> ApiError:
    return ApiError(
        f"the body is larger than {limit_bytes} bytes", code="body_too_large", status=TOO_LARGE
    )
