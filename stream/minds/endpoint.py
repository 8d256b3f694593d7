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

NAT64 = ipaddress.ip_network("64:ff9b::/96")
METADATA = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254"))
)
"""Where clouds answer with credentials outside of the link-local range."""


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
    if any(map(never_a_service, addresses)):
        raise ConfigError(f"base_url '{base_url}' points to an address that no service has")
    if key and parts.scheme == "http" and not all(map(is_near, addresses)):
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
    return [plain_address(str(entry[4][0])) for entry in found]


def plain_address(text: str) -> Address:
    """An address without its clothes: IPv4 mapped, translated or tunnelled into IPv6 is IPv4."""
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    tunnelled = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or tunnelled or address


def never_a_service(address: Address) -> bool:
    """Whether cloud machines tell their credentials there, or nobody can listen there."""
    metadata = address.is_link_local or address in METADATA
    return metadata or address.is_multicast or address.is_unspecified


def is_near(address: Address) -> bool:
    """Whether an address is this machine's or of the local network."""
    return address.is_loopback or address.is_private
