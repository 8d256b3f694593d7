"""Vorbis comments in FLAC and Ogg (Opus, Vorbis): put `NAME=text` in, take it out again.

Knows nothing about what the text says.
"""

import struct
from collections.abc import Mapping

from selftalk.stream.errors import LabelError
from selftalk.stream.trust import ogg

_COMMENT_BLOCK = 4
_LAST = 0x80
_VENDOR = b"selftalk"
_PREFIXES = (b"\x03vorbis", b"OpusTags")


def is_flac(content: bytes) -> bool:
    """Whether this is a FLAC file."""
    return content[:4] == b"fLaC"


def read_comment(content: bytes, name: str) -> str | None:
    """The first comment of this name."""
    for comment in _unpack(_packed(content))[1]:
        key, _, text = comment.partition(b"=")
        if key.upper() == name.encode():
            return text.decode("utf-8", "replace")
    return None


def with_comments(content: bytes, texts: Mapping[str, str]) -> bytes:
    """The same file with exactly one comment of each name.

    Raises:
        LabelError: the file is damaged or of an unknown kind.
    """
    vendor, comments = _unpack(_packed(content))
    named = {name.encode(): text.encode() for name, text in texts.items()}
    kept = [comment for comment in comments if comment.partition(b"=")[0].upper() not in named]
    packed = _pack(vendor, kept + [key + b"=" + text for key, text in named.items()])
    return _flac_with(content, packed) if is_flac(content) else _ogg_with(content, packed)


def _packed(content: bytes) -> bytes:
    if is_flac(content):
        return next((body for kind, body in _blocks(content)[0] if kind == _COMMENT_BLOCK), b"")
    for packet in ogg.header_packets(content):
        for prefix in _PREFIXES:
            if packet.startswith(prefix):
                return packet[len(prefix) :]
    return b""


def _ogg_with(content: bytes, packed: bytes) -> bytes:
    packets = ogg.header_packets(content)
    for place, packet in enumerate(packets):
        for prefix in _PREFIXES:
            if packet.startswith(prefix):
                framing = b"\x01" if prefix == _PREFIXES[0] else b""
                packets[place] = prefix + packed + framing
                return ogg.with_header_packets(content, packets)
    raise LabelError("this Ogg file holds neither Opus nor Vorbis sound; it cannot be labelled")


def _blocks(content: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Metadata blocks of a FLAC file, and where sound begins."""
    blocks, place, last = [], 4, False
    while not last and place + 4 <= len(content):
        last, kind = bool(content[place] & _LAST), content[place] & ~_LAST
        size = int.from_bytes(content[place + 1 : place + 4])
        blocks.append((kind, content[place + 4 : place + 4 + size]))
        place += 4 + size
    return blocks, place


def _flac_with(content: bytes, packed: bytes) -> bytes:
    blocks, sound = _blocks(content)
    blocks = [block for block in blocks if block[0] != _COMMENT_BLOCK]
    blocks.insert(1, (_COMMENT_BLOCK, packed))
    written = b"fLaC"
    for number, (kind, body) in enumerate(blocks, start=1):
        flag = _LAST if number == len(blocks) else 0
        written += bytes([flag | kind]) + len(body).to_bytes(3) + body
    return written + content[sound:]


def _unpack(packed: bytes) -> tuple[bytes, list[bytes]]:
    """Vendor and comments; what is damaged is left out."""
    fields, place = [], 0
    try:
        for field in range(2):  # the vendor, then how many comments
            (size,) = struct.unpack_from("<I", packed, place)
            place += 4
            if field == 0:
                vendor, place = packed[place : place + size], place + size
        for _ in range(size):
            (length,) = struct.unpack_from("<I", packed, place)
            fields.append(packed[place + 4 : place + 4 + length])
            place += 4 + length
    except struct.error:
        return (vendor if place else _VENDOR), fields
    return vendor, fields


def _pack(vendor: bytes, comments: list[bytes]) -> bytes:
    packed = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(comments))
    return packed + b"".join(struct.pack("<I", len(comment)) + comment for comment in comments)
