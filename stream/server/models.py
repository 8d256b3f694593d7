"""GET /v1/models and /v1/audio/voices: what there is to choose from.

Voices are only listed here: to make or delete one is for whoever sits at the machine.
"""

import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from selftalk.stream.server.api_errors import NOT_FOUND, ApiError, telling_errors
from selftalk.stream.server.app import ServerContext

FORBIDDEN = 403
OWNER = "selftalk"


def routes(context: ServerContext) -> list[BaseRoute]:
    """The routes of models and voices."""
    since = int(time.time())

    async def models(_request: Request) -> Response:
        found = [_model(name, since) for name in model_names(context)]
        return JSONResponse({"object": "list", "data": found, "models": found})

    async def model(request: Request) -> Response:
        name = request.path_params["model"]
        if name not in model_names(context):
            raise ApiError(
                f"there is no model '{name[:64]}' here",
                param="model",
                code="model_not_found",
                status=NOT_FOUND,
            )
        return JSONResponse(_model(name, since))

    async def voices(_request: Request) -> Response:
        found = [_voice(name, since) for name in context.voice_names()]
        return JSONResponse({"object": "list", "data": found, "voices": found, "has_more": False})

    async def refuse(_request: Request) -> Response:
        raise ApiError(
            "voices are made and deleted only on the server's own machine, where their owner"
            " consents",
            code="not_allowed",
            status=FORBIDDEN,
        )

    return [
        Route("/v1/models", telling_errors(models)),
        Route("/v1/models/{model:path}", telling_errors(model)),
        Route("/v1/audio/models", telling_errors(models)),
        Route("/v1/audio/voices", telling_errors(voices)),
        Route("/v1/audio/voices", telling_errors(refuse), methods=["POST"]),
        Route("/v1/audio/voices/{voice}", telling_errors(refuse), methods=["DELETE"]),
        Route("/v1/audio/voice_consents", telling_errors(refuse), methods=["GET", "POST"]),
    ]


def model_names(context: ServerContext) -> list[str]:
    """The whole, the voice model, and the recogniser; each of them does what it can."""
    parts = (context.stages.synthesizer, context.stages.recognizer)
    return list(dict.fromkeys([context.model, *map(_name_of, parts)]))


def _name_of(part: object) -> str:
    bundle = getattr(part, "bundle", None)
    return str(bundle.manifest.name) if bundle is not None else type(part).__name__.lower()


def _model(name: str, since: int) -> dict[str, object]:
    return {"id": name, "object": "model", "created": since, "owned_by": OWNER}


def _voice(name: str, since: int) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "object": "audio.voice",
        "created_at": since,
        "type": "audio_sample",
    }
