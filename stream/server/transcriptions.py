"""POST /v1/audio/transcriptions: what a recording says, as in the OpenAI API.

Whole, as text, JSON or subtitles; or as events while it is being heard, a pause at a time. Form
fields that are accepted but have no effect are named in the header `x-selftalk-ignored`.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import msgspec
import soundfile
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from selftalk.stream.errors import AudioFileError, RecognizerError
from selftalk.stream.listening.recognizer import base_language
from selftalk.stream.listening.transcription import CUTTING, Segment, transcribe
from selftalk.stream.server.api_errors import ApiError, telling_errors
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.bodies import limit_body
from selftalk.stream.server.live_response import LiveResponse, event, openai_error
from selftalk.stream.server.subtitles import as_srt, as_verbose, as_vtt, joined, usage
from selftalk.stream.sound.files import Recording
from selftalk.stream.stop import StopFlag
from selftalk.stream.thread_stream import iterate_in_thread

LONGEST_RECORDING_SECONDS = 2 * 3600
MOST_FIELDS = 24
LARGEST_FIELD_BYTES = 1 << 16
USUAL_RATES_HZ = (
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000,
    176_400, 192_000,
)  # fmt: skip
"""Others need filters so long that a small file could ask for gigabytes."""
MOST_CHANNELS = 8
CONTAINERS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF")
OBEYED = {"file", "model", "language", "response_format", "stream", "timestamp_granularities[]"}

Body = Callable[[list[Segment], str, float], bytes]


def _json(segments: list[Segment], _language: str, seconds: float) -> bytes:
    return msgspec.json.encode({"text": joined(segments), "usage": usage(seconds)})


def _verbose_json(segments: list[Segment], language: str, seconds: float) -> bytes:
    return msgspec.json.encode(as_verbose(segments, language, seconds))


def _text(segments: list[Segment], _language: str, _seconds: float) -> bytes:
    return f"{joined(segments)}\n".encode()


def _srt(segments: list[Segment], _language: str, _seconds: float) -> bytes:
    return as_srt(segments).encode()


def _vtt(segments: list[Segment], _language: str, _seconds: float) -> bytes:
    return as_vtt(segments).encode()


BODIES: dict[str, tuple[str, Body]] = {
    "json": ("application/json", _json),
    "text": ("text/plain; charset=utf-8", _text),
    "verbose_json": ("application/json", _verbose_json),
    "srt": ("application/x-subrip", _srt),
    "vtt": ("text/vtt; charset=utf-8", _vtt),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a form asks for."""

    sound: bytes
    language: str | None
    response_format: str
    as_events: bool
    ignored: list[str]


def routes(context: ServerContext) -> list[BaseRoute]:
    """The route of transcriptions."""

    async def transcriptions(request: Request) -> Response:
        limited = limit_body(request, context.server.max_body_bytes)
        async with limited.form(
            max_files=1, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD_BYTES
        ) as form:
            order = await read_order(form)
        check_sound(order.sound)
        return respond(context, order, request.client.host if request.client else "")

    return [Route("/v1/audio/transcriptions", telling_errors(transcriptions), methods=["POST"])]


async def read_order(form: FormData) -> Order:
    """What a form asks for.

    Raises:
        ApiError: a field is missing or has a value that means nothing here.
    """
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise ApiError("'file' is missing", param="file", code="invalid_value")
    response_format = _field(form, "response_format") or "json"
    if response_format not in BODIES:
        raise ApiError(
            f"'response_format' cannot be '{response_format[:20]}' here;"
            f" it can be {', '.join(BODIES)}",
            param="response_format",
            code="unsupported_value",
        )
    if "word" in form.getlist("timestamp_granularities[]"):
        raise ApiError(
            "the times of words are not known here; ask for those of segments",
            param="timestamp_granularities",
            code="unsupported_value",
        )
    return Order(
        sound=await upload.read(),
        language=_language(_field(form, "language")),
        response_format=response_format,
        as_events=_field(form, "stream").lower() in ("true", "1"),
        ignored=sorted(set(form) - OBEYED),
    )


def check_sound(sound: bytes) -> None:
    """Refuse what would cost too much to hear.

    Raises:
        AudioFileError: it is no audio, of an unusual kind, or too long.
    """
    if not sound:
        raise AudioFileError("the file that was sent is empty")
    try:
        info = soundfile.info(io.BytesIO(sound))
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise AudioFileError(
            "the file that was sent is not readable audio; WAV, FLAC, OGG and MP3 are"
        ) from error
    if info.format not in CONTAINERS:
        raise AudioFileError(f"{info.format} files are not heard here; WAV, FLAC, OGG and MP3 are")
    if info.samplerate not in USUAL_RATES_HZ:
        raise AudioFileError(f"{info.samplerate} Hz is not one of the usual sample rates")
    if info.channels > MOST_CHANNELS:
        raise AudioFileError(f"{info.channels} channels are more than {MOST_CHANNELS}")
    if info.duration > LONGEST_RECORDING_SECONDS:
        raise AudioFileError(f"the recording is longer than {LONGEST_RECORDING_SECONDS // 3600} h")


def respond(context: ServerContext, order: Order, peer: str) -> Response:
    """The response, which hears the recording when it is sent."""
    recording = Recording(io.BytesIO(order.sound))
    stop = StopFlag()
    stages = context.stages
    segments = partial(
        transcribe,
        recording,
        stages.recognizer,
        context.make_detector(CUTTING),
        order.language or context.language,
        stop=stop,
        recognizing=stages.recognizing,
    )
    language = order.language or context.language
    media_type, body = BODIES[order.response_format]

    def whole() -> Iterator[bytes]:
        found = list(segments())
        yield body(found, language, recording.read_seconds)

    return LiveResponse(
        lambda: iterate_in_thread(
            partial(_events, segments) if order.as_events else whole, stop, name="transcription"
        ),
        "text/event-stream" if order.as_events else media_type,
        admit=partial(context.admission.admitted, peer),
        headers={"x-selftalk-ignored": ", ".join(order.ignored)} if order.ignored else None,
        stalled_seconds=context.server.stalled_reader_seconds,
        whole=not order.as_events,
        tell_error=partial(_error, order),
    )


def _error(order: Order, error: Exception) -> Response:
    """A recogniser that fails is the server's fault, unless it was given a foreign language."""
    if isinstance(error, RecognizerError) and order.language:
        return ApiError(str(error), param="language").response()
    return openai_error(error)


def _events(segments: Callable[[], Iterator[Segment]]) -> Iterator[bytes]:
    found: list[Segment] = []
    for segment in segments():
        delta = f" {segment.text}" if found else segment.text
        found.append(segment)
        yield event({"type": "transcript.text.delta", "delta": delta})
    yield event({"type": "transcript.text.done", "text": joined(found)})


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _language(code: str) -> str | None:
    if not code:
        return None
    base = base_language(code)
    if not (base.isascii() and base.isalpha() and len(base) in (2, 3)):
        raise ApiError(
            f"'language' cannot be '{code[:20]}'; it is a code such as en", param="language"
        )
    return base
