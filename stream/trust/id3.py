"""ID3v2 tags of MP3 files: put one named text in, take it out again.

Knows nothing about what the text says. Tags of versions 2.3 and 2.4 are kept; older ones, and those
that are scrambled (unsynchronised), compressed or extended, are replaced.
"""

import struct
from collections.abc import Iterator

HEADER_BYTES = 10
_UTF8, _LATIN1 = b"\x03", b"\x00"
_FRAME = struct.Struct(">4sI2s")


def is_mp3(content: bytes) -> bool:
    """Whether this is an MP3 file, with or without a tag."""
    return content[:3] == b"ID3" or (
        len(content) > 2 and content[0] == 0xFF and content[1] & 0xE6 in (0xE2, 0xE4, 0xE6)
    )


def read_text(content: bytes, name: str) -> str | None:
    """The text of the TXXX frame with this description."""
    for frame in _frames(content):
        text = _user_text(frame, name)
        if text is not None:
            return text
    return None


def with_text(content: bytes, name: str, text: str) -> bytes:
    """The same file with exactly one TXXX frame of this description."""
    kept = [frame for frame in _frames(content) if _user_text(frame, name) is None]
    version = content[3] if kept else 4
    encoding = _UTF8 if version == 4 else _LATIN1
    body = encoding + name.encode("ascii") + b"\0" + text.encode("ascii")
    frames = b"".join([*kept, b"TXXX" + _size(len(body), version) + b"\0\0" + body])
    header = b"ID3" + bytes([version, 0, 0]) + _synchsafe(len(frames))
    return header + frames + content[_tag_bytes(content) :]


def _tag_bytes(content: bytes) -> int:
    if content[:3] != b"ID3" or len(content) < HEADER_BYTES:
        return 0
    return min(HEADER_BYTES + _from_synchsafe(content[6:10]), len(content))


def _frames(content: bytes) -> Iterator[bytes]:
    end = _tag_bytes(content)
    if not end or content[3] not in (3, 4) or content[5] != 0:
        return
    place = HEADER_BYTES
    while place + _FRAME.size <= end and content[place] != 0:
        raw = content[place + 4 : place + 8]
        size = _from_synchsafe(raw) if content[3] == 4 else int.from_bytes(raw)
        stop = place + _FRAME.size + size
        if stop > end:
            return
        yield content[place:stop]
        place = stop


def _user_text(frame: bytes, name: str) -> str | None:
    if frame[:4] != b"TXXX" or frame[10:11] not in (_UTF8, _LATIN1):
        return None
    described, _, text = frame[11:].partition(b"\0")
    if described != name.encode():
        return None
    return text.rstrip(b"\0").decode("utf-8", "replace")


def _size(count: int, version: int) -> bytes:
    return _synchsafe(count) if version == 4 else count.to_bytes(4)


def _synchsafe(number: int) -> bytes:
    """Seven bits in each byte, so that no tag looks like sound."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _from_synchsafe(four: bytes) -> int:
    number = 0
    for byte in four:
        number = number << 7 | byte & 0x7F
    return number
