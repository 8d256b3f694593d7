"""docs/protocol.md, written from the types: every event, its fields, and what it means.

python -m selftalk.stream.protocol.describe > docs/protocol.md
"""

import sys
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from selftalk.stream.protocol import (
    BETA_HEADER,
    EXTENSIONS_PARAMETER,
    KEY_SUBPROTOCOL,
    SAMPLE_RATE_HZ,
    client_events,
    items,
    reply_events,
    server_events,
    session_events,
    settings,
)

INTRODUCTION = f"""# The protocol

<!-- written by: python -m selftalk.stream.protocol.describe > docs/protocol.md -->

`selftalk serve` speaks the OpenAI Realtime API (GA) over WebSocket at `/v1/realtime`: programs
written for it work when their address is changed. This page is written from the code
(`stream/protocol/`); all messages are JSON text.

- A token goes into the header `Authorization: Bearer …`, or from a browser into a subprotocol:
  `realtime` and `{KEY_SUBPROTOCOL}…`. Tickets for one connection within a minute are made by
  `POST /v1/realtime/client_secrets`.
- Sound is 16 bit, little-endian, mono, {SAMPLE_RATE_HZ} Hz (`audio/pcm`), or G.711
  (`audio/pcmu`, `audio/pcma`), in base64.
- The client plays the sound. When it is told `input_audio_buffer.speech_started`, it falls silent
  and tells by `conversation.item.truncate` how much it played; exactly the words heard are kept.
- `?intent=transcription` is a session that only writes down. The beta dialect is chosen by the
  header `OpenAI-Beta: {BETA_HEADER[1]}` or by `?dialect=beta`.
- Ours are the fields marked "ours", which other clients pass over, and the events `selftalk.*`,
  which only come to those who ask for them by `?{EXTENSIONS_PARAMETER}=1`.
- `?resume=SESSION_ID` takes up, within a minute, a conversation whose connection broke;
  `selftalk.resumed` tells what is in it. Without items it was not kept: the session is a new one.
- `/v1/realtime/observe` shows what the newest conversation is told, its audio by length only.
- A full server sends the error `session_limit_reached` and closes with 1013; one that restarts
  closes with 1012. A client that takes nothing for some seconds is cut off.
- `response.usage` counts a token for every 50 ms of sound, as OpenAI does, and for text what the
  language model counts; the tokens of one that does not tell are 0.
- `idle_timeout_ms` of `server_vad`: so long after a reply was heard, if nobody has spoken, an
  empty utterance is committed and answered.
- The names of OpenAI's voices mean the server's default voice; other unknown names are refused.

Not there: MCP, prompts by id, tracing, images, WebRTC and SIP (`/v1/realtime/calls`).
`noise_reduction` is accepted and left to the client; `rate_limits.updated` is never sent.
"""


def document() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    groups: list[tuple[str, list[type]]] = [
        ("What a client may send", list(get_args(client_events.ClientEvent))),
        ("What the server sends", list(get_args(server_events.ServerEvent))),
    ]
    for title, events in groups:
        parts += [f"## {title}\n", *(_event(event) for event in events)]
    parts.append("## What is in them\n")
    for module in (settings, items, session_events, reply_events):
        parts += [_struct(found) for found in _plain_structs(module)]
    return "\n".join(parts).rstrip() + "\n"


def _plain_structs(module: Any) -> list[type]:
    """The structs of a module that are no events."""
    bases = (client_events.ClientBase, session_events.ServerBase)
    return [
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, msgspec.Struct)
        and found.__module__ == module.__name__
        and not issubclass(found, bases)
    ]


def _event(event: type) -> str:
    info = msgspec.inspect.type_info(event)
    assert isinstance(info, msgspec.inspect.StructType)
    return f"### `{info.tag}`\n\n{_first_line(event)}\n\n{_table(event)}"


def _struct(struct: type) -> str:
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    tag = f" (`type` is `{info.tag}`)" if info.tag else ""
    return f"### {struct.__name__}{tag}\n\n{_first_line(struct)}\n\n{_table(struct)}"


def _first_line(found: type) -> str:
    return (found.__doc__ or "").strip().splitlines()[0]


def _table(struct: Any) -> str:
    rows = [
        f"| `{field.encode_name}` | {_name(field.type)} | {_default(field)} |"
        for field in msgspec.structs.fields(struct)
        if field.name != "event_id"
    ]
    if not rows:
        return ""
    return "\n".join(["| field | type | default |", "|---|---|---|", *rows, ""])


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        made = field.default_factory()
        return "its defaults" if isinstance(made, msgspec.Struct) else f"`{made!r}`"
    if field.default is msgspec.UNSET:
        return "absent"
    return "null" if field.default is None else f"`{field.default!r}`"


def _name(kind: Any) -> str:
    """A type as people read it."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _name(inside[0])
    if origin in (Union, types.UnionType):
        names = (_name(one) for one in inside if one is not msgspec.UnsetType)
        return " or ".join(dict.fromkeys(names))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (list, tuple):
        return "list of " + ", ".join(_name(one) for one in inside)
    simple = {bytes: "base64", str: "text", int: "whole number", float: "number", bool: "boolean"}
    simple |= {type(None): "null", Any: "anything"}
    named = "object" if origin is dict else getattr(kind, "__name__", "object")
    return str(simple.get(kind, named))


if __name__ == "__main__":
    sys.stdout.write(document())
