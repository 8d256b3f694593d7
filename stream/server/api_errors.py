"""Errors as the OpenAI API tells them: {"error": {message, type, param, code}} and a status.

Knows nothing about what was asked for.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from selftalk.stream.errors import (
    AudioFileError,
    ConfigError,
    RecognizerError,
    SelftalkError,
    TextError,
    VoiceError,
)
from selftalk.stream.server.admission import Refusal

log = logging.getLogger(__name__)

BAD_REQUEST, NOT_FOUND, TOO_LARGE, UNAVAILABLE, INTERNAL = 400, 404, 413, 503, 500
CLIENTS_FAULT = (AudioFileError, ConfigError, RecognizerError, TextError, VoiceError)
RETRY_AFTER_SECONDS = 2


class ApiError(Exception):
    """Something the client is told, with the status of the response."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status

    @classmethod
    def of(cls, error: Exception) -> "ApiError":
        """Any error as one for the client; what is no `SelftalkError` keeps its words to itself."""
        if isinstance(error, ApiError):
            return error
        if isinstance(error, VoiceError):
            return cls(str(error), param="voice", code="voice_not_found")
        if isinstance(error, HTTPException):  # a form that is none
            return cls(error.detail, status=error.status_code)
        if isinstance(error, SelftalkError):
            status = BAD_REQUEST if isinstance(error, CLIENTS_FAULT) else INTERNAL
            return cls(str(error), status=status)
        log.error("a request failed: %s", type(error).__name__)
        log.debug("it failed here", exc_info=error)
        return cls("the server failed to do this", status=INTERNAL)

    @classmethod
    def refused(cls, refusal: Refusal) -> "ApiError":
        """What somebody is told for whom there is no place."""
        words = "restarting" if refusal is Refusal.DRAINING else "busy with other conversations"
        return cls(f"this server is {words}; try again", code=refusal.value, status=UNAVAILABLE)

    @property
    def body(self) -> dict[str, Any]:
        """The object that clients parse."""
        kind = "server_error" if self.status >= INTERNAL else "invalid_request_error"
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": self.code,
            }
        }

    def response(self) -> Response:
        """The whole response."""
        headers = {}
        if self.status == UNAVAILABLE:
            headers["retry-after"] = str(RETRY_AFTER_SECONDS)
        return JSONResponse(self.body, self.status, headers)


Endpoint = Callable[[Request], Awaitable[Response]]


def telling_errors(endpoint: Endpoint) -> Endpoint:
    """Turn the errors of an endpoint into responses."""

    @wraps(endpoint)
    async def tell(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=BAD_REQUEST)  # nobody is there to read it
        except Exception as error:
            return ApiError.of(error).response()

    return tell


async def no_such_route(request: Request, error: Exception) -> Response:
    """The answer where no route is, or none for this method."""
    assert isinstance(error, HTTPException), error
    message = f"there is no {request.method} {request.url.path[:200]} here"
    told = ApiError(message, code="unknown_url", status=error.status_code).response()
    told.headers.update(error.headers or {})
    return told


ROUTE_ERRORS: dict[Any, Any] = {404: no_such_route, 405: no_such_route}
"""For a Starlette application."""
