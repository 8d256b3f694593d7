"""Endpoint: the address of an OpenAI-compatible service and the key that goes to it alone.

The key comes from an environment variable, never from a config file. It is sent to the host of
the base URL only: redirects are not followed, and over plain http it leaves neither this
machine nor the local network. Knows nothing about what is asked there.
"""

import ipaddress
import os
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from selftalk.stream.errors import ConfigError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask, and with which key."""

    base_url: str
    """Up to and including /v1, without a slash at the end."""
    key: str | None

    def __repr__(self) -> str:
        """Without the key: what is printed is what leaks."""
        return f"Endpoint({self.base_url!r})"

    def client(self, timeout_seconds: float) -> httpx.Client:
        """A client whose relative URLs start at the base URL."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        timeout = httpx.Timeout(timeout_seconds, connect=5.0)
        return httpx.Client(
            base_url=self.base_url, headers=headers, timeout=timeout, follow_redirects=False
        )


def endpoint(base_url: str, key_variable: str) -> Endpoint:
    """Check a base URL and take the key of its service from the environment.

    Args:
        base_url: http or https, with a host.
        key_variable: the environment variable of the key; unset means that none is needed.

    Raises:
        ConfigError: the URL is none, or points where no such service can be, or the key would
            be readable on its way.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"base_url '{base_url}' is not a URL such as http://localhost:8000/v1")
    if parts.username or parts.password:
        raise ConfigError(f"base_url must not hold a password; put the key into ${key_variable}")
    key = os.environ.get(key_variable) or None
    addresses = _addresses_of(parts.hostname)
    if any(_never_a_service(address) for address in addresses):
        raise ConfigError(f"base_url '{base_url}' points to an address that no service has")
    if key and parts.scheme == "http" and not all(_is_near(address) for address in addresses):
        raise ConfigError(
            f"base_url '{base_url}' would send ${key_variable} unencrypted; use https"
        )
    return Endpoint(base_url.rstrip("/"), key)


def _addresses_of(host: str) -> list[Address]:
    """Every address of a host; none when it cannot be looked up, which connecting will report."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [_plain(ipaddress.ip_address(str(entry[4][0]).split("%")[0])) for entry in found]


def _plain(address: Address) -> Address:
    """An IPv4 address in IPv6 clothes is an IPv4 address."""
    return getattr(address, "ipv4_mapped", None) or address


def _never_a_service(address: Address) -> bool:
    """Link-local addresses hold the metadata (and credentials) of cloud machines."""
    return address.is_link_local or address.is_multicast or address.is_unspecified


def _is_near(address: Address) -> bool:
    return address.is_loopback or address.is_private
