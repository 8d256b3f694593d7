"""JSON ⇄ events, strictly: what does not fit is one sentence, never a traceback."""

from typing import Any

import msgspec

from selftalk.stream.errors import SelftalkError
from selftalk.stream.protocol.client_events import ClientEvent
from selftalk.stream.protocol.server_events import ServerEvent


class _Envelope(msgspec.Struct):
    event_id: Any = None


_envelope_decoder = msgspec.json.Decoder(_Envelope)
_client_decoder: msgspec.json.Decoder[ClientEvent] = msgspec.json.Decoder(ClientEvent)
_server_decoder: msgspec.json.Decoder[ServerEvent] = msgspec.json.Decoder(ServerEvent)
_encoder = msgspec.json.Encoder()


class ProtocolError(SelftalkError, ValueError):
    """A message does not follow the protocol."""

    def __init__(
        self, message: str, code: str = "invalid_event", event_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.event_id = event_id


def decode_client_event(text: str | bytes) -> ClientEvent:
    """Read what a client sent.

    Raises:
        ProtocolError: it is no JSON, of an unknown type, or a field is missing or wrong.
    """
    try:
        return _client_decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ProtocolError(_sentence(error), _code_of(error), _event_id_of(text)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"the message is not JSON: {error}", "invalid_json") from None


def decode_server_event(text: str | bytes) -> ServerEvent:
    """Read what a server sent.

    Raises:
        ProtocolError: it is no event of this protocol.
    """
    try:
        return _server_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"the server sent something unknown: {error}") from None


def encode(event: ServerEvent | ClientEvent | dict[str, Any]) -> bytes:
    """The JSON of an event."""
    return _encoder.encode(event)


def _sentence(error: msgspec.ValidationError) -> str:
    text = str(error)
    return text[:1].lower() + text[1:400]


def _code_of(error: msgspec.ValidationError) -> str:
    text = str(error)
    if "$.type" in text and text.startswith("Invalid value"):
        return "unknown_event_type"
    return "missing_required_parameter" if "missing required" in text else "invalid_value"


def _event_id_of(text: str | bytes) -> str | None:
    """The id of a message that is wrong elsewhere."""
    try:
        found = _envelope_decoder.decode(text).event_id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return found if isinstance(found, str) and len(found) <= 512 else None
