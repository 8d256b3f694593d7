"""PinnedTransport and endpoint: addresses that no request ever reaches."""

import asyncio
import socket

import httpx
import pytest

from selftalk.stream.errors import ConfigError, ResponderError
from selftalk.stream.minds.endpoint import endpoint
from selftalk.stream.minds.pinned_transport import PinnedTransport

NAMES = {
    "api.example": ["93.184.215.14"],
    "metadata.example": ["169.254.169.254"],
    "two-faced.example": ["93.184.215.14", "169.254.169.254"],
    "mapped.example": ["::ffff:169.254.169.254"],
}

FORBIDDEN = [
    "http://169.254.169.254/",
    "http://169.254.169.254:80/latest/meta-data/",
    "http://169.254.0.1/",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://0251.254.169.254/",
    "http://169.16689662/",
    "http://169.254.43518/",
    "http://169.254.169.254./",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[fe80::1]/",
    "http://[fe80::a9fe:a9fe%25lo]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://0.0.0.0:11434/",
    "http://0/",
    "http://[::]/",
    "http://224.0.0.1/",
    "http://[ff02::1]/",
    "http://metadata.example/",
    "https://metadata.example/",
    "https://mapped.example/",
    "https://two-faced.example/",
    "http://me@169.254.169.254/",
    "http://api.example@169.254.169.254/",
    "https://me:password@api.example/",
    "ftp://api.example/",
    "file:///etc/passwd",
    "gopher://api.example/",
    "unix:///var/run/docker.sock",
    "//api.example/",
    "http:///v1",
    "",
]


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look nothing up in the real world."""
    real = socket.getaddrinfo

    def look_up(host, port, family=0, type=0, proto=0, flags=0):  # type: ignore[no-untyped-def]
        found = NAMES.get(str(host), [host])
        numeric = socket.AI_NUMERICHOST
        answers = [real(address, port, family, type, proto, numeric) for address in found]
        return [entry for answer in answers for entry in answer]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


class Reached(httpx.AsyncBaseTransport):
    """Stands in for the network and notes what would have been connected to."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/"})


async def get(url: str, reached: Reached, headers: dict[str, str] | None = None) -> None:
    async with httpx.AsyncClient(transport=PinnedTransport(reached)) as client:
        await client.get(url, headers=headers)


@pytest.mark.parametrize("url", FORBIDDEN)
def test_forbidden_addresses_are_never_reached(url: str) -> None:
    """Refused when the settings are read, and once more before connecting."""
    reached = Reached()

    def use() -> None:
        asyncio.run(get(endpoint(url, "UNSET_KEY").base_url, reached))

    with pytest.raises((ConfigError, ResponderError, httpx.InvalidURL)):
        use()
    assert reached.requests == []


@pytest.mark.parametrize("url", [url for url in FORBIDDEN if "://[" in url or "169" in url])
def test_forbidden_addresses_are_refused_before_connecting_too(url: str) -> None:
    reached = Reached()
    with pytest.raises((ResponderError, httpx.InvalidURL)):
        asyncio.run(get(url, reached))
    assert reached.requests == []


def test_a_name_is_looked_up_once_and_kept() -> None:
    async def run(reached: Reached) -> None:
        async with httpx.AsyncClient(transport=PinnedTransport(reached)) as client:
            await client.get("https://api.example/v1/models")
            NAMES["api.example"] = ["169.254.169.254"]  # rebound meanwhile
            await client.get("https://api.example/v1/models")
            with pytest.raises(ResponderError, match="is not the chat server"):
                await client.get("https://other.example/")

    reached = Reached()
    try:
        asyncio.run(run(reached))
    finally:
        NAMES["api.example"] = ["93.184.215.14"]
    assert [request.url.host for request in reached.requests] == ["93.184.215.14"] * 2
    for request in reached.requests:
        assert request.headers["Host"] == "api.example"
        assert request.extensions["sni_hostname"] == "api.example"


def test_a_key_does_not_travel_in_the_clear() -> None:
    key = {"Authorization": "Bearer x"}
    reached = Reached()
    with pytest.raises(ResponderError, match="unencrypted"):
        asyncio.run(get("http://api.example/", reached, key))
    assert reached.requests == []
    asyncio.run(get("http://127.0.0.1/", reached, key))
    asyncio.run(get("http://192.168.1.2/", reached, key))
    asyncio.run(get("https://api.example/", reached, key))
    assert len(reached.requests) == 3
