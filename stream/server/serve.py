"""Serve: from settings to a server that listens, and to its orderly end.

SIGTERM   no new conversations; replies under way end; then every connection is told to come
          back later (1012). A second signal ends at once.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from selftalk.stream.config import TalkConfig
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.errors import ConfigError, DeviceError
from selftalk.stream.fetching.weights import Progress
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.selves import Self, load_self, self_names
from selftalk.stream.server.admission import Admission
from selftalk.stream.server.app import ServerContext, build_api_v2_app, build_app
from selftalk.stream.server.capacity import measured_capacity
from selftalk.stream.server.gathering import gather_messages
from selftalk.stream.server.live_response import ABORT
from selftalk.stream.server.realtime import drain
from selftalk.stream.server.security import LOOPBACK_NAMES
from selftalk.stream.server.wire import DirectWebSocket
from selftalk.stream.server_config import ServerConfig
from selftalk.stream.synthesis.voices import list_voices
from selftalk.stream.talk import Cast, Tell, load_cast

SHORTEST_TOKEN = 16
PING_SECONDS = 15.0
BACKLOG = 2048
WYOMING_MODULE = "selftalk.stream.server.wyoming"


def checked_token(server: ServerConfig) -> str | None:
    """The token, if one is set.

    Raises:
        ConfigError: the server would be open to others without one, or without TLS.
    """
    token = os.environ.get(server.token_variable, "").strip() or None
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise ConfigError(
            f"the token in ${server.token_variable} is too short; use {SHORTEST_TOKEN} characters"
            " or more"
        )
    if server.host in LOOPBACK_NAMES:
        return token
    if token is None:
        raise ConfigError(
            f"listening on '{server.host}' needs a token: set ${server.token_variable}"
        )
    if not (server.insecure_lan or server.tls_certificate):
        raise ConfigError(
            f"listening on '{server.host}' needs TLS (server.tls_certificate, server.tls_key),"
            " or server.insecure_lan = true behind a proxy that has it"
        )
    return token


async def open_context(
    config: TalkConfig, self_: Self, *, progress: Progress | None = None, tell: Tell
) -> tuple[ServerContext, Cast]:
    """Load what the server shares.

    Raises:
        SelftalkError: something cannot be loaded, or the server would be open to strangers.
    """
    token = checked_token(config.server)
    cast = await load_cast(config, self_, progress=progress, tell=tell)
    synthesizer = cast.synthesizer
    capacity = config.server.max_sessions or await asyncio.to_thread(measured_capacity, cast.stages)
    tell(f"room for {capacity} conversations at a time")
    names = {"default": cast.voice.name}

    def voice_named(name: str) -> Any:
        return cast.voice if name == names["default"] else synthesizer.voice(name)

    context = ServerContext(
        config=_with_names(config),
        stages=cast.stages,
        make_detector=lambda turns: TurnDetector(load_vad(config.vad.engine), turns),
        voice_named=voice_named,
        voice_names=lambda: sorted(list_voices(synthesizer.bundle.voices_folder)),
        default_voice=cast.voice.name,
        language=config.recognizer.language,
        self_name=self_.name,
        selves={found.name: found for found in map(load_self, self_names())},
        greeting=self_.greeting_in(config.recognizer.language),
        model=synthesizer.bundle.manifest.name,
        token=token,
        admission=Admission(capacity, config.server.max_sessions_per_peer),
    )
    return context, cast


def _with_names(config: TalkConfig) -> TalkConfig:
    """The host that was asked for is a name by which the server may be called."""
    server = config.server
    hosts = (*server.allowed_hosts, server.host)
    return replace(config, server=replace(server, allowed_hosts=hosts))


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run until it ends, in the loop that takes least processor time, where there is one."""
    factory = import_module("uvloop").new_event_loop if find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


async def serve(config: TalkConfig, self_: Self, progress: Progress | None, tell: Tell) -> None:
    """Serve until told to end.

    Raises:
        SelftalkError: something cannot be loaded, or a port is taken.
    """
    context, cast = await open_context(config, self_, progress=progress, tell=tell)
    gc.collect()
    gc.freeze()  # the models stay: a collection need not look at them, which takes long
    try:
        await serve_context(context, tell)
    finally:
        await cast.responder.responder.close()


async def serve_context(context: ServerContext, tell: Tell) -> None:
    """Listen on every port until told to end.

    Raises:
        DeviceError: a port cannot be had.
    """
    server = context.server
    _quieten()
    main = Server(build_app(context), server, server.port)
    servers = [main]
    if server.api_v2_port and find_spec("selftalk.stream.server.api_v2") is not None:
        servers.append(Server(build_api_v2_app(context), server, server.api_v2_port))
    for each in servers:
        each.listen()
    async with _wyoming(context):
        tell(f"open {address(server, main.port)} in a browser, or connect a program (Ctrl-C ends)")
        gathering = asyncio.create_task(gather_messages(lambda: context.admission.active))
        try:
            with _signals(context, servers):
                await asyncio.gather(*(each.serve_here() for each in servers))
        finally:
            gathering.cancel()


def address(server: ServerConfig, port: int) -> str:
    """Where a browser on this machine finds the page."""
    scheme = "https" if server.tls_certificate else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us."""

    def __init__(self, app: Any, server: ServerConfig, port: int) -> None:
        self._server_config = server
        super().__init__(
            uvicorn.Config(
                app,
                host=server.host,
                port=port,
                ws=DirectWebSocket,
                http=CuttingHttp,
                lifespan="off",
                log_config=None,
                access_log=False,
                ws_max_size=server.max_message_bytes,
                ws_per_message_deflate=False,
                ws_ping_interval=PING_SECONDS,
                ws_ping_timeout=PING_SECONDS,
                timeout_graceful_shutdown=3,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                ssl_certfile=server.tls_certificate or None,
                ssl_keyfile=server.tls_key or None,
            )
        )
        self._sockets: list[Any] = []
        logging.getLogger("uvicorn.error").addFilter(_is_fault)

    @property
    def port(self) -> int:
        """The port that was given."""
        return int(self._sockets[0].getsockname()[1])

    def listen(self) -> None:
        """Take the port.

        Raises:
            DeviceError: somebody else has it.
        """
        try:
            self._sockets = [self.config.bind_socket()]
            self._sockets[0].listen(BACKLOG)
        except (SystemExit, OSError) as error:
            raise DeviceError(
                f"cannot listen on {self.config.host}:{self.config.port}: is it in use?"
            ) from error

    async def serve_here(self) -> None:
        """Serve until `should_exit`."""
        await self._serve(sockets=self._sockets)


class CuttingHttp(H11Protocol):
    """Lets the app drop a connection whose peer does not read, buffers and all."""

    def handle_events(self) -> None:
        """Let the app know how."""
        super().handle_events()
        scope: Any = self.scope
        if scope is not None:
            scope.setdefault("extensions", {})[ABORT] = {"abort": self.transport.abort}


@contextlib.contextmanager
def _signals(context: ServerContext, servers: list[Server]) -> Any:
    """Drain at the first signal, end at the second."""
    loop = asyncio.get_running_loop()
    draining: list[asyncio.Task[None]] = []

    async def end() -> None:
        await drain(context)
        for server in servers:
            server.should_exit = True

    def on_signal(_number: int, _frame: FrameType | None = None) -> None:
        if draining:
            for server in servers:
                server.should_exit = server.force_exit = True
            return
        draining.append(loop.create_task(end()))

    wanted = (signal.SIGTERM, signal.SIGINT)
    for number in wanted:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _wyoming(context: ServerContext) -> AsyncIterator[None]:
    """Listen for Home Assistant too, if that is wanted."""
    if not context.server.wyoming_port or find_spec(WYOMING_MODULE) is None:
        yield
        return
    listener = await import_module(WYOMING_MODULE).start(
        context, context.server.wyoming_host, context.server.wyoming_port
    )
    try:
        yield
    finally:
        listener.close()
        await listener.wait_closed()


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether uvicorn's line is worth reading: those it writes at a refused handshake are not."""
    return "without completing handshake" not in str(record.msg)


def _quieten() -> None:
    """Let uvicorn log faults only: its lines of accepted connections hold query strings."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.CRITICAL if "access" in name else logging.ERROR)
