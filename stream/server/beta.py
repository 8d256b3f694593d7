"""The beta dialect: what clients of before the GA send and expect, translated both ways.

Chosen by the header `OpenAI-Beta: realtime=v1` or `?dialect=beta`. Everything else of the server
knows only the GA dialect.
"""

import json
from typing import Any

import msgspec

from selftalk.stream.protocol.client_events import ClientEvent
from selftalk.stream.protocol.codec import ProtocolError, decode_client_event, encode
from selftalk.stream.protocol.server_events import ServerEvent

EVENT_NAMES = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "conversation.item.added": "conversation.item.created",
}
UNKNOWN_TO_BETA = ("conversation.item.done",)
FORMATS: dict[str, dict[str, object]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
FORMAT_NAMES = {described["type"]: name for name, described in FORMATS.items()}
CONTENT_NAMES = {"output_text": "text", "output_audio": "audio"}


def decode_beta_event(text: str | bytes) -> ClientEvent:
    """Read what a beta client sent.

    Raises:
        ProtocolError: it does not follow the protocol.
    """
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"the message is not JSON: {error}", "invalid_json") from None
    if not isinstance(message, dict):
        raise ProtocolError("expected an object")
    if message.get("type") == "transcription_session.update":
        message["type"] = "session.update"
    if isinstance(session := message.get("session"), dict):
        message["session"] = _session_to_ga(session)
    if isinstance(response := message.get("response"), dict):
        if "modalities" in response:
            response["output_modalities"] = _one_modality(response.pop("modalities"))
        if isinstance(tokens := response.pop("max_response_output_tokens", None), int | str):
            response["max_output_tokens"] = tokens
    item = message.get("item")
    if isinstance(item, dict) and isinstance(item.get("content"), list):
        item["content"] = [_content_to_ga(part) for part in item["content"]]
    try:
        return decode_client_event(json.dumps(message))
    except (RecursionError, ValueError) as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError("the message is not JSON", "invalid_json") from None


def encode_beta_event(event: ServerEvent) -> list[bytes]:
    """The JSON of an event, as a beta client expects it; none if it knows no such event."""
    message = msgspec.to_builtins(event)
    if message["type"] in UNKNOWN_TO_BETA:
        return []
    message["type"] = EVENT_NAMES.get(message["type"], message["type"])
    if "session" in message:
        message["session"] = _session_to_beta(message["session"])
    if "response" in message:
        response = message["response"]
        response["modalities"] = _two_modalities(response.pop("output_modalities"))
        response["output"] = [_item_to_beta(item) for item in response["output"]]
    if "item" in message:
        message["item"] = _item_to_beta(message["item"])
    return [encode(message)]


def _session_to_ga(flat: dict[str, Any]) -> dict[str, Any]:
    session = dict(flat)
    heard: dict[str, Any] = {}
    spoken: dict[str, Any] = {}
    if "modalities" in session:
        session["output_modalities"] = _one_modality(session.pop("modalities"))
    if "max_response_output_tokens" in session:
        session["max_output_tokens"] = session.pop("max_response_output_tokens")
    for name, place, key in (
        ("input_audio_format", heard, "format"),
        ("output_audio_format", spoken, "format"),
        ("turn_detection", heard, "turn_detection"),
        ("input_audio_transcription", heard, "transcription"),
        ("input_audio_noise_reduction", heard, "noise_reduction"),
        ("voice", spoken, "voice"),
        ("speed", spoken, "speed"),
    ):
        if name in session:
            value = session.pop(name)
            known = isinstance(value, str) and key == "format"
            place[key] = FORMATS.get(value, {"type": value}) if known else value
    session.pop("temperature", None)
    if heard or spoken:
        session["audio"] = {"input": heard, "output": spoken}
    return session


def _session_to_beta(session: dict[str, Any]) -> dict[str, Any]:
    audio = session.pop("audio")
    heard, spoken = audio["input"], audio.get("output", {})
    session.pop("type")
    flat: dict[str, Any] = {
        "input_audio_format": FORMAT_NAMES[heard["format"]["type"]],
        "turn_detection": heard["turn_detection"],
        "input_audio_transcription": heard["transcription"],
        "input_audio_noise_reduction": heard["noise_reduction"],
    }
    if spoken:
        flat["output_audio_format"] = FORMAT_NAMES[spoken["format"]["type"]]
        voice = spoken["voice"]
        flat["voice"] = voice["id"] if isinstance(voice, dict) else voice
        flat["speed"] = spoken["speed"]
        flat["modalities"] = _two_modalities(session.pop("output_modalities"))
        flat["max_response_output_tokens"] = session.pop("max_output_tokens")
    return session | flat


def _content_to_ga(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    names = {"text": "output_text", "audio": "output_audio"}
    return part | {"type": names.get(str(part.get("type")), part.get("type"))}


def _item_to_beta(item: dict[str, Any]) -> dict[str, Any]:
    content = item.get("content")
    if content:
        item["content"] = [
            part | {"type": CONTENT_NAMES.get(part["type"], part["type"])} for part in content
        ]
    return item


def _one_modality(modalities: Any) -> Any:
    """Beta clients name both when they want sound."""
    if not isinstance(modalities, list):
        return modalities
    return ["audio"] if "audio" in modalities else ["text"]


def _two_modalities(modalities: list[str]) -> list[str]:
    return ["audio", "text"] if modalities == ["audio"] else modalities
