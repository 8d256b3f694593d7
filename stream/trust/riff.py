"""Chunks of a RIFF file, such as WAV: put one of text in, take it out again.

Knows nothing about what the text says.
"""

import struct
from collections.abc import Iterator

HEADER_BYTES = 12
_CHUNK = struct.Struct("<4sI")


def is_riff(content: bytes) -> bool:
    """Whether this is a WAV file."""
    return content[:4] == b"RIFF" and content[8:HEADER_BYTES] == b"WAVE"


def read_chunk(content: bytes, name: bytes) -> bytes | None:
    """What is in the first chunk of this name."""
    for found, start, size in _chunks(content):
        if found == name:
            return content[start : start + size]
    return None


def with_chunk(content: bytes, name: bytes, text: bytes) -> bytes:
    """The same file with exactly one chunk of this name, the last of all."""
    body = b"".join(
        chunk_of(found, content[start : start + size])
        for found, start, size in _chunks(content)
        if found != name
    )
    body = b"WAVE" + body + chunk_of(name, text)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk_of(name: bytes, text: bytes) -> bytes:
    """A chunk with its header."""
    # Every chunk begins at an even place; the byte that fills up is not counted.
    return _CHUNK.pack(name, len(text)) + text + b"\0" * (len(text) % 2)


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    place = HEADER_BYTES
    while place + _CHUNK.size <= len(content):
        name, size = _CHUNK.unpack_from(content, place)
        start = place + _CHUNK.size
        size = min(size, len(content) - start)
        yield name, start, size
        place = start + size + size % 2
