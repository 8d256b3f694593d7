"""Checkpoint files made by hand, byte by byte: an honest tiny voice, and every way to spoil it."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HALF = b"ctorch\nHalfStorage\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
ORDERED_DICT = b"ccollections\nOrderedDict\n)R"


# Pickle, protocol 2


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a\x08" + struct.pack("<q", value)


def tuple_of(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    shape: Sequence[int],
    *,
    key: str = "0",
    elements: int = 732,
    offset: int = 0,
    strides: Sequence[int] | None = None,
    storage: bytes = HALF,
) -> bytes:
    """The opcodes of one tensor as torch.save writes them."""
    if strides is None:
        strides = [1] * len(shape)
    place = b"(" + text("storage") + storage + text(key) + text("cpu") + number(elements) + b"tQ"
    window = number(offset) + tuple_of(shape) + tuple_of(strides)
    return REBUILD + b"(" + place + window + b"\x89" + ORDERED_DICT + b"tR"


def mapping(items: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(name) + value for name, value in items.items()) + b"u"


S2_WEIGHT = {"enc_p.text_embedding.weight": tensor([732, 1])}


def voice_pickle(
    *,
    weight: bytes | None = None,
    config: bytes = b"}",
    info: bytes = b"X\x00\x00\x00\x00",
    before_stop: bytes = b"",
) -> bytes:
    """A v2 SoVITS checkpoint with one tensor, any part of which may be replaced."""
    weight = mapping(S2_WEIGHT) if weight is None else weight
    root = mapping({"weight": weight, "config": config, "info": info})
    return b"\x80\x02" + root + before_stop + b"."


# ZIP, as torch.save lays it out


@dataclass
class Entry:
    """One entry; the fields default to what torch.save writes and may each be falsified."""

    name: str | bytes
    content: bytes
    stored: bytes | None = None
    method: int = 0
    flags: int = 0x0808
    crc: int | None = None
    length: int | None = None
    local_name: bytes | None = None
    local_flags: int | None = None
    local_method: int | None = None
    local_numbers: tuple[int, int, int] = (0, 0, 0)
    local_signature: bytes = b"PK\x03\x04"
    local_extra: bytes = b"FB\x03\x00ZZZ"
    descriptor: bytes | None = None
    central_extra: bytes = b""
    offset: int | None = None
    gap: bytes = b""

    def __post_init__(self) -> None:
        self.raw_name = self.name if isinstance(self.name, bytes) else self.name.encode()
        self.body = self.content if self.stored is None else self.stored
        self.crc = zlib.crc32(self.content) if self.crc is None else self.crc
        self.length = len(self.content) if self.length is None else self.length

    def local(self) -> bytes:
        name = self.raw_name if self.local_name is None else self.local_name
        flags = self.flags if self.local_flags is None else self.local_flags
        method = self.method if self.local_method is None else self.local_method
        head = struct.pack(
            "<4sHHHHHIIIHH", self.local_signature, 0, flags, method, 0, 0, *self.local_numbers,
            len(name), len(self.local_extra),
        )  # fmt: skip
        descriptor = self.descriptor
        if descriptor is None:
            descriptor = b"PK\x07\x08" + struct.pack("<III", self.crc, len(self.body), self.length)
        if not flags & 8:
            descriptor = b""
        return head + name + self.local_extra + self.body + descriptor + self.gap

    def central(self, offset: int) -> bytes:
        offset = offset if self.offset is None else self.offset
        head = struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 0, 0, self.flags, self.method, 0, 0, self.crc,
            len(self.body) if self.stored is not None else self.length, self.length,
            len(self.raw_name), len(self.central_extra), 0, 0, 0, 0, offset,
        )  # fmt: skip
        return head + self.raw_name + self.central_extra


@dataclass
class EndRecords:
    """The records at the end of an archive; None keeps the true number."""

    count: int | None = None
    count64: int | None = None
    start: int | None = None
    disk: int = 0
    comment: bytes = b""
    has_64: bool = True

    def pack(self, count: int, start: int, length: int) -> bytes:
        at = start + length
        count32 = count if self.count is None else self.count
        count64 = count if self.count64 is None else self.count64
        start = start if self.start is None else self.start
        end64 = struct.pack(
            "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 0x031E, 45, 0, 0, count64, count64, length, start
        ) + struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
        end = struct.pack(
            "<4sHHHHIIH", b"PK\x05\x06", self.disk, self.disk, count32, count32, length, start,
            len(self.comment),
        )  # fmt: skip
        return (end64 if self.has_64 else b"") + end + self.comment


def archive(
    entries: Sequence[Entry], *, tag: bytes = b"PK", end: EndRecords | None = None
) -> bytes:
    """The bytes of an archive of these entries."""
    body, directory = b"", b""
    for entry in entries:
        directory += entry.central(len(body))
        body += entry.local()
    ending = (end or EndRecords()).pack(len(entries), len(body), len(directory))
    return tag + (body + directory + ending)[2:]


def voice_entries(pickle: bytes | None = None) -> list[Entry]:
    """The entries of an honest file, to be changed before archive() joins them."""
    return [
        Entry("archive/data.pkl", voice_pickle() if pickle is None else pickle),
        Entry("archive/byteorder", b"little"),
        Entry("archive/data/0", bytes(2 * 732)),
        Entry("archive/version", b"3\n"),
    ]


def voice_file(pickle: bytes | None = None, *, tag: bytes = b"PK") -> bytes:
    return archive(voice_entries(pickle), tag=tag)
