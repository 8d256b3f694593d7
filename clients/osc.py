"""OSC 1.0 messages and bundles as bytes: what avatar programs understand over UDP.

Strings, 32-bit integers and floats; no arguments of other kinds. Knows nothing about sockets or
what the addresses mean.
"""

import struct
from collections.abc import Iterable

IMMEDIATELY = struct.pack(">Q", 1)


def message(address: str, *arguments: str | int | float) -> bytes:
    """One OSC message.

    Args:
        address: begins with a slash.
        arguments: each a string, an int (32 bits) or a float.
    """
    assert address.startswith("/"), address
    tags = "," + "".join(_tag(argument) for argument in arguments)
    return _string(address) + _string(tags) + b"".join(map(_argument, arguments))


def bundle(messages: Iterable[bytes]) -> bytes:
    """Messages that take effect together, at once."""
    parts = (struct.pack(">i", len(one)) + one for one in messages)
    return _string("#bundle") + IMMEDIATELY + b"".join(parts)


def _tag(argument: str | int | float) -> str:
    if isinstance(argument, str):
        return "s"
    return "i" if isinstance(argument, int) else "f"


def _argument(argument: str | int | float) -> bytes:
    if isinstance(argument, str):
        return _string(argument)
    return struct.pack(">i" if isinstance(argument, int) else ">f", argument)


def _string(text: str) -> bytes:
    """ASCII, closed by at least one zero, padded to a multiple of four bytes."""
    raw = text.encode("ascii", "replace") + b"\0"
    return raw + b"\0" * (-len(raw) % 4)
