"""The server's application: what all connections share, and every route put together.

A module of routes has `routes(context) -> list[BaseRoute]` and knows no other such module.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from selftalk.stream.config import TalkConfig
from selftalk.stream.dialogue.turns import TurnConfig, TurnDetector
from selftalk.stream.selves import Self
from selftalk.stream.server.admission import Admission
from selftalk.stream.server.api_errors import ROUTE_ERRORS
from selftalk.stream.server.security import Guard, Rules, Tickets
from selftalk.stream.server.telemetry import Telemetry
from selftalk.stream.server_config import ServerConfig
from selftalk.stream.stages import Stages

ROUTE_MODULES = ("health", "realtime", "speech", "transcriptions", "models")
API_V2_MODULES = ("api_v2",)
PAGE_POLICY = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:"


@dataclass(slots=True, kw_only=True)
class ServerContext:
    """What every connection shares: the models, the settings, who may still come in."""

    config: TalkConfig
    stages: Stages
    """Recogniser, responder, synthesizer and the default voice, loaded and warm."""
    make_detector: Callable[[TurnConfig], TurnDetector]
    """A turn detector with a state of its own."""
    voice_named: Callable[[str], Any]
    """A voice by its name; raises VoiceError. What it returns is for `stages.synthesizer`."""
    voice_names: Callable[[], list[str]]
    default_voice: str = "default"
    """The name of the voice that is in `stages`."""
    language: str = "en"
    """What users speak unless they say otherwise."""
    self_name: str = ""
    """Whom one talks with unless one chooses somebody else."""
    selves: dict[str, Self] = field(default_factory=dict)
    """Who can be chosen, by the name that people read."""
    greeting: str = ""
    model: str = "selftalk"
    """The name under which the whole is known to clients."""
    token: str | None = None
    """Needed by every client if there is one; never shown, never logged."""
    tickets: Tickets = field(default_factory=Tickets)
    """Tokens for one connection each."""
    admission: Admission = field(default_factory=lambda: Admission(4))
    telemetry: Telemetry = field(default_factory=Telemetry)
    extra: dict[str, Any] = field(default_factory=dict)
    """Where a module of routes keeps what it shares between requests, by its own name."""

    @property
    def server(self) -> ServerConfig:
        """The settings `[server]`."""
        return self.config.server


def build_app(context: ServerContext) -> Starlette:
    """The application of the main port: every interface, and the web pages."""
    return _guarded([*_routes(ROUTE_MODULES, context), *_pages()], context, pages=True)


def build_api_v2_app(context: ServerContext) -> Starlette:
    """The application of the port where GPT-SoVITS would be."""
    return _guarded(_routes(API_V2_MODULES, context), context, pages=False)


def _guarded(routes: list[BaseRoute], context: ServerContext, *, pages: bool) -> Starlette:
    server = context.server
    rules = Rules(
        context.token, server.allowed_hosts, server.allowed_origins, server.max_body_bytes
    )
    guard = Middleware(Guard, rules=rules, tickets=context.tickets, pages=pages)
    return Starlette(routes=routes, middleware=[guard], exception_handlers=ROUTE_ERRORS)


def _routes(modules: tuple[str, ...], context: ServerContext) -> list[BaseRoute]:
    found: list[BaseRoute] = []
    for name in modules:
        path = f"selftalk.stream.server.{name}"
        if find_spec(path) is not None:
            found += import_module(path).routes(context)
    return found


def _pages() -> list[BaseRoute]:
    """The web page at `/` and the overlays at `/overlay/`, last: `/` takes all that is left."""
    pages: Mapping[str, str] = {"/overlay": "overlay", "/": "web"}
    mounts: list[BaseRoute] = []
    for place, folder in pages.items():
        files = Path(str(resources.files("selftalk.configs"))).parent / "clients" / folder
        if files.is_dir():
            mounts.append(Mount(place, _Pages(directory=files, html=True), name=folder))
    return mounts


class _Pages(StaticFiles):
    """Files of a folder; a page may be called without its `.html`."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file of a path."""
        if path not in ("", ".") and "." not in path:
            path += ".html"
        return super().lookup_path(path)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with what a browser is to allow it."""
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-cache"
        return response
