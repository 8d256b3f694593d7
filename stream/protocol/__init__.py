"""The protocol: messages of the OpenAI Realtime API (GA) as typed values, and their JSON.

    items, settings ◀ client_events, server_events ◀ codec ◀ beta

Clients import this and nothing else of selftalk. Knows nothing about sockets or models.
"""

from selftalk.stream.protocol.client_events import ClientEvent
from selftalk.stream.protocol.codec import (
    ProtocolError,
    decode_client_event,
    decode_server_event,
    encode,
)
from selftalk.stream.protocol.server_events import ServerEvent

__all__ = [
    "ClientEvent",
    "ProtocolError",
    "ServerEvent",
    "decode_client_event",
    "decode_server_event",
    "encode",
]

KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""A browser cannot send headers: its token follows this, in a subprotocol of its own."""
SUBPROTOCOL = "realtime"
"""What the server selects when a client offers subprotocols."""
EXTENSIONS_PARAMETER = "selftalk"
"""`?selftalk=1` asks for the events whose names begin with `selftalk.`"""
BETA_HEADER = ("openai-beta", "realtime=v1")
SAMPLE_RATE_HZ = 24_000
"""Of `audio/pcm`: 16 bit, little-endian, mono."""
