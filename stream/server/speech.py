"""POST /v1/audio/speech: a text becomes speech, and is sent while it is spoken.

The request is that of the OpenAI API; `language`, `seed` and `pitch_semitones` may be added. What
is accepted but has no effect is named in the header `x-selftalk-ignored`.
"""

import base64
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from selftalk.stream.server.api_errors import ApiError, telling_errors
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.bodies import decode_json, read_body
from selftalk.stream.server.encoder import FORMATS, AudioFormat, Encoder
from selftalk.stream.server.live_response import LiveResponse, event
from selftalk.stream.server.narration import (
    FASTEST,
    SLOWEST,
    encoded,
    narrate,
    synthesizer_of,
    voice_for,
)
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.speech import SpeechChunk, WordTime
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.text import LANGUAGES
from selftalk.stream.thread_stream import iterate_in_thread

LONGEST_INPUT = 4096  # characters, as in the OpenAI API
LARGEST_BODY_BYTES = 1 << 17  # of which each may be escaped, and instructions come as well
CHUNKS_AHEAD = 4
"""How much is generated that nobody reads: chunks of up to a second."""
TOKENS_PER_SECOND = 25
OFFERED = ("mp3", "opus", "flac", "wav", "pcm")


class VoiceId(msgspec.Struct):
    """A voice as the object that custom voices have."""

    id: str


class SpeechRequest(msgspec.Struct):
    """The body; fields that clients send as null count as left out."""

    input: Annotated[str, Meta(max_length=LONGEST_INPUT)]
    model: str | None = None
    voice: str | VoiceId | None = None
    response_format: str | None = None
    stream_format: Literal["audio", "sse"] | None = None
    speed: Annotated[float, Meta(ge=SLOWEST, le=FASTEST)] | None = None
    instructions: str | None = None
    language: str | None = None
    seed: Annotated[int, Meta(ge=0, lt=1 << 62)] | None = None
    pitch_semitones: Annotated[float, Meta(ge=-12, le=12)] | None = None


def routes(context: ServerContext) -> list[BaseRoute]:
    """The route of speech."""

    async def speak(request: Request) -> Response:
        body = await read_body(request, LARGEST_BODY_BYTES)
        order, ignored = decode_json(body, SpeechRequest)
        if order.instructions:
            ignored = sorted([*ignored, "instructions"])
        peer = request.client.host if request.client else ""
        return respond(context, order, ignored, peer)

    return [Route("/v1/audio/speech", telling_errors(speak), methods=["POST"])]


def respond(
    context: ServerContext, order: SpeechRequest, ignored: list[str], peer: str
) -> Response:
    """Everything that can be refused is refused here; the speaking begins when it is sent.

    Raises:
        ApiError: a field is wrong.
        VoiceError: there is no such voice.
    """
    if not order.input.strip():
        raise ApiError("'input' holds no text", param="input")
    audio_format = _format_of(order)
    synthesizer = synthesizer_of(context)
    asked = order.voice.id if isinstance(order.voice, VoiceId) else order.voice
    name, voice = voice_for(context, asked)
    options = _options(order, synthesizer.options)
    stop, labels = StopFlag(), context.config.labels
    as_events = order.stream_format == "sse"
    encode = partial(_events, order.input) if as_events else encoded

    def speak() -> Iterator[bytes]:
        encoder = audio_format.open(synthesizer.sample_rate_hz, labels=labels)
        chunks = narrate(synthesizer, order.input, voice, options, stop, labels=labels)
        return encode(chunks, encoder)

    headers = {"x-selftalk-voice": name, "x-selftalk-ignored": ", ".join(ignored)}
    return LiveResponse(
        partial(iterate_in_thread, speak, stop, max_items=CHUNKS_AHEAD),
        "text/event-stream" if as_events else audio_format.content_type,
        admit=partial(context.admission.admitted, peer),
        headers={key: value for key, value in headers.items() if value},
        stalled_seconds=context.server.stalled_reader_seconds,
        on_first=partial(context.telemetry.observe, "speech_first_audio_seconds"),
    )


def _format_of(order: SpeechRequest) -> AudioFormat:
    name = order.response_format or "mp3"
    if name not in OFFERED:
        raise ApiError(
            f"'response_format' cannot be '{name[:20]}' here; it can be {', '.join(OFFERED)}",
            param="response_format",
            code="unsupported_value",
        )
    return FORMATS[name]


def _options(order: SpeechRequest, usual: SynthesisOptions) -> SynthesisOptions:
    if order.language is not None and order.language not in (*LANGUAGES, "auto"):
        raise ApiError(
            f"'language' cannot be '{order.language[:20]}'; it can be auto, {', '.join(LANGUAGES)}",
            param="language",
        )
    chosen: dict[str, Any] = {
        name: value
        for name in ("language", "speed", "seed", "pitch_semitones")
        if (value := getattr(order, name)) is not None
    }
    return replace(usual, **chosen)


def _events(text: str, chunks: Iterator[SpeechChunk], encoder: Encoder) -> Iterator[bytes]:
    samples, rate_hz = 0, 1
    for chunk in chunks:
        samples, rate_hz = samples + len(chunk.audio), chunk.audio.sample_rate_hz
        yield _delta(encoder.push(chunk.audio.samples), chunk.words, rate_hz)
    yield _delta(encoder.flush(), (), rate_hz)
    tokens = samples * TOKENS_PER_SECOND // rate_hz
    usage = {
        "input_tokens": len(text),
        "output_tokens": tokens,
        "total_tokens": len(text) + tokens,
    }
    yield event({"type": "speech.audio.done", "usage": usage})


def _delta(encoded: bytes, words: tuple[WordTime, ...], rate_hz: int) -> bytes:
    if not encoded and not words:
        return b""
    fields: dict[str, Any] = {
        "type": "speech.audio.delta",
        "audio": base64.b64encode(encoded).decode(),
    }
    if words:
        fields["words"] = [
            {
                "text": word.text,
                "start_ms": round(1000 * word.start_samples / rate_hz),
                "end_ms": round(1000 * word.end_samples / rate_hz),
            }
            for word in words
        ]
    return event(fields)
