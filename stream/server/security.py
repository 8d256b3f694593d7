"""Guard: who may come in at all, decided before any route sees the request.

    Host      by which names this server may be called: against DNS rebinding
    Origin    which web pages may connect: against pages that reach for the loopback
    token     needed beyond the loopback, compared in constant time, never logged
    size      of a request's body

Knows nothing about what the routes do.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from selftalk.stream.protocol import KEY_SUBPROTOCOL
from selftalk.stream.server.api_errors import ApiError
from selftalk.stream.server.bodies import answer_after_body

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
OBS_ORIGIN = "http://absolute"
"""Where OBS says that a local file of a browser source comes from."""
OPEN_PATHS = ("/healthz", "/readyz")
NO_PAGES = ("/v1/", "/metrics")
TICKET_PREFIX = "ek_"
TICKET_SECONDS = 60.0
MAX_TICKETS = 1000
SPARE_BYTES = 1 << 20
"""Beyond the limit, so that a route can say that a body of unknown length is too large."""


class Tickets:
    """Tokens for one connection within a minute, for those who must not hold the real one."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._until: dict[str, float] = {}

    def issue(self) -> str:
        """A new ticket."""
        now = self._seconds()
        self._until = {ticket: end for ticket, end in self._until.items() if end > now}
        while len(self._until) >= MAX_TICKETS:
            self._until.pop(next(iter(self._until)))
        ticket = TICKET_PREFIX + secrets.token_urlsafe(24)
        self._until[ticket] = now + TICKET_SECONDS
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Whether this ticket is good; it is not any more afterwards."""
        end = self._until.pop(ticket, None)
        return end is not None and end > self._seconds()


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may come in."""

    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    max_body_bytes: int = 25 << 20

    def host_is_allowed(self, host: str) -> bool:
        """Whether the server may be called by this name, port included."""
        name = _host_name(host)
        known = LOOPBACK_NAMES | {allowed.lower() for allowed in self.allowed_hosts}
        return name is not None and name in known

    def origin_is_allowed(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may connect: our own, OBS's files, and those named."""
        if origin == OBS_ORIGIN or origin in self.allowed_origins:
            return True
        return origin in (f"http://{host}", f"https://{host}") and self.host_is_allowed(host)

    def token_is_right(self, given: str) -> bool:
        """Whether this is the token."""
        wanted = (self.token or "").encode()
        return hmac.compare_digest(given.encode("utf-8", "replace"), wanted)


class Guard:
    """ASGI middleware that lets in only whom the rules allow."""

    def __init__(self, app: ASGIApp, rules: Rules, tickets: Tickets, *, pages: bool) -> None:
        """Stand before an app.

        Args:
            app: what is guarded.
            rules: who may come in.
            tickets: for one connection each.
            pages: whether the app has web pages, which need no token: nothing in them is secret.
        """
        self._app = app
        self._pages = pages
        self._rules = rules
        self._tickets = tickets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            if scope["type"] == "http":
                send = answer_after_body(scope, receive, send)
            await _refuse(scope, send, *refusal)
            return
        if scope["type"] == "http":
            send = answer_after_body(scope, receive, send)
            receive = _limited(receive, self._rules.max_body_bytes + SPARE_BYTES)
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._rules.host_is_allowed(hosts[0]):
            return HTTPStatus.FORBIDDEN, "this server is not called by that name"
        origins = headers.getlist("origin")
        if origins and not (
            len(origins) == 1 and self._rules.origin_is_allowed(origins[0], hosts[0])
        ):
            return HTTPStatus.FORBIDDEN, "web pages from there may not connect"
        page = self._pages and _is_page(scope)
        if headers.get("sec-fetch-site") == "cross-site" and not origins and not page:
            return HTTPStatus.FORBIDDEN, "other web pages may not connect"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._rules.max_body_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the request is too large"
        if self._rules.token is None or page or scope["path"] in OPEN_PATHS:
            return None
        given = _token_of(scope, headers)
        if given.startswith(TICKET_PREFIX) and self._tickets.redeem(given):
            return None
        if not self._rules.token_is_right(given):
            return HTTPStatus.UNAUTHORIZED, "a valid token is needed"
        return None


def _host_name(host: str) -> str | None:
    """The name in a Host header; None if it is none."""
    if any(sign in host for sign in "@/\\?# \t,") or not host.isascii():
        return None
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if host.endswith(":"):
        return None
    return parts.hostname


def _is_page(scope: Scope) -> bool:
    """Whether this is a web page of ours or a part of one."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    return not scope["path"].startswith(NO_PAGES)


def _token_of(scope: Scope, headers: Headers) -> str:
    """The token a client gave: a header, or from a browser a subprotocol."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    for offered in scope.get("subprotocols", ()):
        if offered.startswith(KEY_SUBPROTOCOL):
            return str(offered.removeprefix(KEY_SUBPROTOCOL))
    return ""


def _limited(receive: Receive, max_bytes: int) -> Receive:
    """Stop reading a body that says nothing of its size and is too large."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > max_bytes else message

    return limited


async def _refuse(scope: Scope, send: Send, status: HTTPStatus, reason: str) -> None:
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    told = ApiError(reason, code=status.phrase.lower().replace(" ", "_"), status=int(status))
    body = msgspec.json.encode(told.body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": f"{kind}.start", "status": told.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
