"""PinnedTransport: HTTP to one address of a host, looked up once and judged before connecting.

A name that is looked up again can point elsewhere the second time (DNS rebinding), so what was
judged is what is connected to. Proxies and .netrc of the machine are not used: they would see
the key. Knows nothing about what is asked.
"""

import asyncio
import socket

import httpx

from selftalk.stream.errors import ResponderError
from selftalk.stream.minds.endpoint import Address, is_near, never_a_service, plain_address


class PinnedTransport(httpx.AsyncBaseTransport):
    """Sends every request to the same, once chosen, address of its one host."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._inner = inner or httpx.AsyncHTTPTransport(trust_env=False, retries=1)
        self._host = ""
        self._address = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the certificate is still checked against the name.

        Raises:
            ResponderError: the host is unknown, another one, or one that no service has.
        """
        host = request.url.host
        if not self._address:
            self._host, self._address = host, await self._choose(request)
        if host != self._host:
            raise ResponderError(f"'{host}' is not the chat server '{self._host}'")
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=self._address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()

    async def _choose(self, request: httpx.Request) -> str:
        host = request.url.host
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ResponderError(f"the chat server '{host}' cannot be found by its name") from error
        for *_, place in found:
            _check(plain_address(str(place[0])), request)
        return str(found[0][4][0])


def _check(address: Address, request: httpx.Request) -> None:
    host = request.url.host
    if never_a_service(address):
        raise ResponderError(f"'{host}' points to {address}, which no chat server has")
    in_the_clear = "Authorization" in request.headers and request.url.scheme == "http"
    if in_the_clear and not is_near(address):
        raise ResponderError(f"the key of '{host}' would be sent unencrypted; use https")
