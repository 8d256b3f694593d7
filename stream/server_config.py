"""ServerConfig: the settings `[server]`, who may connect and how much they may ask for."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65_535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Where to listen, whom to let in, and the limits of each."""

    host: str = "127.0.0.1"
    """Anything but the loopback needs a token."""
    port: Port = 8765
    """Of HTTP and WebSocket; 0 is any free one."""
    api_v2_port: Port = 9880
    """Of the interface that GPT-SoVITS has; 0 for none."""
    wyoming_port: Port = 10_300
    """Of the Wyoming protocol; 0 for none."""
    wyoming_host: str = "127.0.0.1"
    """That protocol knows no tokens: beyond the loopback it is open to everybody around."""
    token_variable: str = "SELFTALK_TOKEN"
    """The environment variable that holds the token; tokens are never in a config."""
    allowed_hosts: tuple[str, ...] = ()
    """Names, besides those of the loopback, by which this server may be called."""
    allowed_origins: tuple[str, ...] = ()
    """Other web pages that may connect, such as "https://stage.example"."""
    insecure_lan: bool = False
    """Listen beyond the loopback without TLS, as behind a proxy that has it."""
    tls_certificate: str = ""
    """A PEM file."""
    tls_key: str = ""
    """The PEM file of its key."""
    max_sessions: Annotated[int, Meta(ge=0, le=100_000)] = 0
    """Conversations at a time; 0 is what this machine was measured to manage."""
    max_sessions_per_peer: Annotated[int, Meta(ge=1, le=100_000)] = 64
    max_message_bytes: Annotated[int, Meta(ge=1 << 16, le=1 << 26)] = 21 << 20
    """15 MiB of audio in base64, and its envelope."""
    max_body_bytes: Annotated[int, Meta(ge=1 << 16, le=1 << 30)] = 25 << 20
    audio_burst_seconds: Seconds = 60.0
    """How much audio may come at once; beyond it, twice real time is read."""
    stalled_reader_seconds: Seconds = 4.0
    """A client that takes nothing for so long is cut off."""
    drain_seconds: Seconds = 8.0
    """How long replies may go on after SIGTERM."""
    lead_ms: Annotated[int, Meta(ge=200, le=120_000)] = 10_000
    """How much audio is generated ahead of what a client plays."""
