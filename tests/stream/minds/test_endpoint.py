import socket

import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.minds import endpoint as endpoint_module
from selftalk.stream.minds.endpoint import endpoint


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Names of the tests; everything else must be an address."""
    known = {
        "api.example": "93.184.215.14",
        "metadata.example": "169.254.169.254",
        "nas.example": "192.168.1.20",
        "localhost": "127.0.0.1",
    }
    real = socket.getaddrinfo

    def look_up(host, *rest, **more):
        return real(known.get(host, host), *rest, flags=socket.AI_NUMERICHOST, **more)

    monkeypatch.setattr(endpoint_module.socket, "getaddrinfo", look_up)
    monkeypatch.delenv("A_KEY", raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example/v1",
        "http://localhost:8000/v1/",
        "http://nas.example:9000/v1",
        "http://[::1]:8000/v1",
        "http://api.example/v1",
        "https://cannot-be-looked-up.example/v1",
    ],
)
def test_usable_addresses_without_a_key(url):
    found = endpoint(url, "A_KEY")
    assert found.base_url == url.rstrip("/")
    assert "Authorization" not in found.client(1).headers


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "is not a URL"),
        ("ftp://api.example", "is not a URL"),
        ("file:///etc/passwd", "is not a URL"),
        ("https:///v1", "is not a URL"),
        ("https://me:secret@api.example/v1", "must not hold a password"),
        ("http://169.254.169.254/latest", "no service has"),
        ("http://2852039166/latest", "no service has"),
        ("http://[::ffff:169.254.169.254]/", "no service has"),
        ("http://metadata.example/v1", "no service has"),
        ("http://[fe80::1]/v1", "no service has"),
        ("http://0.0.0.0:8000/v1", "no service has"),
    ],
)
def test_unusable_addresses_are_one_sentence(url, sentence):
    with pytest.raises(ConfigError, match=sentence) as caught:
        endpoint(url, "A_KEY")
    assert "secret" not in str(caught.value)


def test_the_key_travels_encrypted_or_not_far(monkeypatch):
    monkeypatch.setenv("A_KEY", "canary")
    for url in ("https://api.example/v1", "http://localhost/v1", "http://nas.example/v1"):
        assert endpoint(url, "A_KEY").client(1).headers["Authorization"] == "Bearer canary"
    with pytest.raises(ConfigError, match="unencrypted") as caught:
        endpoint("http://api.example/v1", "A_KEY")
    assert "canary" not in str(caught.value)


def test_the_key_is_never_printed(monkeypatch):
    monkeypatch.setenv("A_KEY", "canary")
    assert "canary" not in repr(endpoint("https://api.example/v1", "A_KEY"))
