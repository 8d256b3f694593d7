"""The interface of GPT-SoVITS' `api_v2.py`, so that its programs speak through selftalk unchanged.

    GET, POST /tts    /set_gpt_weights    /set_sovits_weights    /set_refer_audio    /control

Where GPT-SoVITS takes paths of files, this takes names of voices and models; the last part of a
path counts as a name, and no file is ever looked for. Sound leaves while it is spoken in every
streaming mode, at 32 kHz as programs expect of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from selftalk.stream.errors import VoiceError
from selftalk.stream.server.api_errors import ApiError
from selftalk.stream.server.api_v2_order import Order, read_order
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.bodies import read_body
from selftalk.stream.server.encoder import FORMATS, Encoder
from selftalk.stream.server.live_response import LiveResponse
from selftalk.stream.server.narration import encoded, narrate, synthesizer_of
from selftalk.stream.server.shelf import Shelf, installed_bundles, named
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.styles import SEPARATOR, split_style
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, list_voices
from selftalk.stream.thread_stream import iterate_in_thread
from selftalk.stream.trust.labels import LabelsConfig

RATE_HZ = 32_000
LARGEST_BODY_BYTES = 1 << 18
CHUNKS_AHEAD = 4
MANY = ("aux_ref_audio_paths",)
NO_CONTROL = "this server is ended and restarted where it was started, not from outside"


def routes(context: ServerContext) -> list[BaseRoute]:
    """The routes of `api_v2`."""
    desk = Desk(context)

    async def tts(request: Request) -> Response:
        order = read_order(await _parameters(request))
        return desk.respond(order, request.client.host if request.client else "")

    async def set_weights(request: Request) -> Response:
        await desk.choose_model(_wanted(request, "weights_path"))
        return _success()

    async def set_refer_audio(request: Request) -> Response:
        desk.choose_voice(_wanted(request, "refer_audio_path"))
        return _success()

    async def control(_request: Request) -> Response:
        return JSONResponse({"message": NO_CONTROL}, 403)

    return [
        Route("/tts", _telling("tts failed", tts), methods=["GET", "POST"]),
        Route("/set_gpt_weights", _telling("change gpt weight failed", set_weights)),
        Route("/set_sovits_weights", _telling("change sovits weight failed", set_weights)),
        Route("/set_refer_audio", _telling("set refer audio failed", set_refer_audio)),
        Route("/control", control, methods=["GET", "POST"]),
    ]


class Desk:
    """What the programs on this port chose: a model and a voice, the same for all of them."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._voice = ""
        self._choosing = asyncio.Lock()
        open_bundle = context.extra.get("open_bundle", lambda at: open_synthesizer(Bundle.load(at)))
        bundles = context.extra.get("bundles", installed_bundles)
        self._shelf = Shelf(synthesizer_of(context), bundles, open_bundle)

    async def choose_model(self, reference: str) -> None:
        """Speak with another model from now on.

        Raises:
            BundleError: it does not exist or cannot be opened.
        """
        async with self._choosing:
            await asyncio.to_thread(self._shelf.choose, reference)

    def choose_voice(self, reference: str) -> None:
        """Speak with this voice where a request names none.

        Raises:
            VoiceError: there is no such voice.
        """
        self._voice = self._voice_name(reference)

    def respond(self, order: Order, peer: str) -> Response:
        """The response, which speaks when it is sent.

        Raises:
            VoiceError: there is no such voice, or it must not be used.
        """
        synthesizer, server = self._shelf.chosen, self._context.server
        name = self._voice_name(order.reference) if order.reference else self._voice
        voice = self._voice_named(name)
        stop, labels = StopFlag(), self._context.config.labels
        options = order.options(synthesizer.options)

        def speak() -> Iterator[bytes]:
            chunks = narrate(
                synthesizer,
                order.text,
                voice,
                options,
                stop,
                pause_seconds=order.pause_seconds,
                labels=labels,
            )
            return encoded(chunks, _encoder(order, synthesizer.sample_rate_hz, labels))

        told = name or self._context.default_voice
        headers = {"x-selftalk-model": self._shelf.name, "x-selftalk-voice": told}
        if order.ignored:
            headers["x-selftalk-ignored"] = ", ".join(order.ignored)
        return LiveResponse(
            partial(iterate_in_thread, speak, stop, max_items=CHUNKS_AHEAD),
            order.media_type,
            admit=partial(self._context.admission.admitted, peer),
            headers=headers,
            stalled_seconds=server.stalled_reader_seconds,
            whole=not order.streams,
            tell_error=partial(_failure, "tts failed"),
            on_first=partial(self._context.telemetry.observe, "api_v2_first_audio_seconds"),
        )

    def _voice_name(self, reference: str) -> str:
        known = self._voice_names()
        bare, style = split_style(reference)
        name = named(bare, known)
        if name is None:
            raise VoiceError(
                "ref_audio_path is the name of a voice here, not a file; known:"
                f" {', '.join(sorted(known))}"
            )
        return f"{name}{SEPARATOR}{style}" if style else name

    def _voice_names(self) -> list[str]:
        if self._shelf.is_own:
            return self._context.voice_names()
        return list(list_voices(self._shelf.chosen.bundle.voices_folder))

    def _voice_named(self, name: str) -> Any:
        if self._shelf.is_own:
            return self._context.voice_named(name) if name else self._context.stages.voice
        return self._shelf.chosen.voice(name or DEFAULT_VOICE)


def _encoder(order: Order, from_hz: int, labels: LabelsConfig) -> Encoder:
    if order.media_type != "audio/wav":
        return order.audio_format.open(from_hz, RATE_HZ, labels)
    if order.streams:  # players cut off 44 bytes and take the rest for sound
        return order.audio_format.open(from_hz, RATE_HZ)
    return FORMATS["wav file"].open(from_hz, RATE_HZ, labels)


async def _parameters(request: Request) -> Mapping[str, Any]:
    """The parameters of a query, or of a JSON object."""
    if request.method != "POST":
        query = request.query_params
        return {name: query.getlist(name) if name in MANY else query[name] for name in query}
    body = await read_body(request, LARGEST_BODY_BYTES)
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ApiError("the body is not a JSON object") from error


def _wanted(request: Request, name: str) -> str:
    value = request.query_params.get(name, "")
    if not value:
        raise ApiError(f"{name} is required", param=name)
    return value


def _success() -> Response:
    return JSONResponse({"message": "success"})


def _telling(
    failure: str, endpoint: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def tell(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception as error:
            return _failure(failure, error)

    return tell


def _failure(failure: str, error: Exception) -> Response:
    """An error in GPT-SoVITS' words; its programs look at the status and show the message."""
    told = ApiError.of(error)
    if isinstance(error, ApiError) and failure == "tts failed":
        return JSONResponse({"message": told.message}, told.status)
    status = told.status if told.status != 500 else 400
    return JSONResponse({"message": failure, "Exception": told.message}, status)
