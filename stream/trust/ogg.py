"""Ogg pages: take the header packets out of a file and put others in their place.

Knows nothing about what packets hold, except how many headers a codec has.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from selftalk.stream.errors import LabelError

_PAGE = struct.Struct("<4sBBqIIIB")
_CONTINUED = 0x01
_FULL = 255
_HEADERS = {b"OpusHead": 2, b"\x01vorbis": 3}


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the file."""

    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes
    body: bytes

    def __len__(self) -> int:
        return _PAGE.size + len(self.lacing) + len(self.body)

    def encode(self) -> bytes:
        """The page with its checksum."""
        fields = (b"OggS", 0, self.flags, self.granule, self.serial, self.number, 0)
        raw = _PAGE.pack(*fields, len(self.lacing)) + self.lacing + self.body
        return raw[:22] + struct.pack("<I", _checksum(raw)) + raw[26:]


def is_ogg(content: bytes) -> bool:
    """Whether this is an Ogg file."""
    return content[:4] == b"OggS"


def header_packets(content: bytes) -> list[bytes]:
    """The packets before the sound: identification, comments, for Vorbis also its tables."""
    return _headers(content)[0]


def with_header_packets(content: bytes, packets: list[bytes]) -> bytes:
    """The same file with other headers after the first; pages are numbered anew."""
    _, used = _headers(content)
    first, *others = _pages(content)
    fresh = [first, *_paged(packets[1:], first.serial)]
    rest = [replace(page, number=len(fresh) + n) for n, page in enumerate(others[used - 1 :])]
    begun = content[sum(len(page) for page in (first, *others)) :]  # a page that is cut off
    return b"".join(page.encode() for page in [*fresh, *rest]) + begun


def _headers(content: bytes) -> tuple[list[bytes], int]:
    """Header packets, and how many pages they take."""
    packets, packet, wanted = [], b"", 1
    for count, page in enumerate(_pages(content), start=1):
        place = 0
        for size in page.lacing:
            packet += page.body[place : place + size]
            place += size
            if size < _FULL:
                packets.append(packet)
                packet = b""
        if count == 1:
            wanted = next((n for magic, n in _HEADERS.items() if packets[0].startswith(magic)), 1)
        if len(packets) >= wanted:
            return packets[:wanted], count
    raise LabelError("the Ogg file ends within its headers")


def _paged(packets: list[bytes], serial: int) -> Iterator[Page]:
    """Header packets as pages, numbered from 1; sound begins on a page of its own."""
    lacing = b"".join(bytes([_FULL] * (len(p) // _FULL) + [len(p) % _FULL]) for p in packets)
    body, number = b"".join(packets), 1
    continued = False
    while lacing:
        piece, lacing = lacing[:_FULL], lacing[_FULL:]
        size = sum(piece)
        # A page in which no packet ends has no position.
        granule = 0 if min(piece) < _FULL else -1
        yield Page(_CONTINUED if continued else 0, granule, serial, number, piece, body[:size])
        body, continued = body[size:], piece[-1] == _FULL
        number += 1


def _pages(content: bytes) -> Iterator[Page]:
    place = 0
    while content[place : place + 4] == b"OggS":
        try:
            _, _, flags, granule, serial, number, _, count = _PAGE.unpack_from(content, place)
        except struct.error:
            return
        lacing = content[place + _PAGE.size : place + _PAGE.size + count]
        start = place + _PAGE.size + count
        place = start + sum(lacing)
        if len(lacing) < count or place > len(content):
            return
        yield Page(flags, granule, serial, number, lacing, content[start:place])


def _checksum(raw: bytes) -> int:
    table, value = _crc_table(), 0
    for byte in raw:
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value


@cache
def _crc_table() -> list[int]:
    """Of the polynomial 0x04C11DB7, the most significant bit first."""
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table
