"""The ZIP container of a PyTorch checkpoint, read more strictly than any general reader would.

Knows nothing about pickles or tensors. General readers disagree with each other on damaged or
doubled entries, and every disagreement has been used to smuggle a second pickle past a scanner.
So this one accepts only what `torch.save` writes: stored entries under one folder, with names
from a short list, which tile the file from its first byte to the directory without gap or overlap,
and whose local headers, directory entries and data agree. Nothing is extracted to a path; an entry
is a view into the mapped file, so no number in the file ever makes us allocate.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from selftalk.stream.errors import CheckpointError

MAX_FILE_BYTES = 1 << 31
"""Twice the largest official training state; also keeps every size far below the ZIP64 limits."""
MAX_ENTRIES = 20_000
"""A full v2Pro training state has under 3,000."""
TAGS = ("PK", "00", "01", "02", "03", "04", "05", "06")
"""The first two bytes: plain ZIP, or the model version that GPT-SoVITS writes over them."""

_MEMBER = re.compile(
    r"data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id"
    r"|data/(?:0|[1-9][0-9]{0,19})"
)
_LOCAL = struct.Struct("<2s2sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_DESCRIPTOR = struct.Struct("<4sIII")
_EXTRA = struct.Struct("<HH")

_FLAG_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_FLAG_DESCRIPTOR = 0x0008
_FLAG_UTF8 = 0x0800
_PADDING_ID = 0x4246  # "FB": how torch.save aligns the data of an entry


@dataclass(frozen=True, slots=True)
class Archive:
    """The entries of one checkpoint file."""

    tag: str
    """The first two bytes, one of TAGS."""
    entries: Mapping[str, memoryview]
    """Name below the archive's folder, such as `data.pkl` or `data/0`, to its bytes."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    flags: int
    crc: int
    length: int
    offset: int

    @property
    def shown(self) -> str:
        return quoted(self.name.decode("latin-1"))


def quoted(text: str) -> str:
    """Text from a file made safe to print: ASCII, escaped, at most 80 characters."""
    shown = ascii(text[:100])
    return shown if len(shown) <= 80 else shown[:76] + "...'"


def read_archive(file: memoryview) -> Archive:
    """Check the whole container and return views of its entries.

    Args:
        file: the bytes of the file, usually mapped.

    Raises:
        CheckpointError: the file is anything else than what `torch.save` writes.
    """
    tag = _read_tag(file)
    start, end, count = _directory_bounds(file)
    entries: dict[str, memoryview] = {}
    folder = ""
    position = 0
    for entry in _central_entries(file[start:end], count):
        if entry.offset != position:
            raise CheckpointError(
                f"the archive's entry {entry.shown} starts at byte {entry.offset} "
                f"instead of {position}, so entries overlap or hide bytes between them"
            )
        content, position = _local_content(file[:start], entry)
        this_folder, member = _split_name(entry.name)
        if folder not in ("", this_folder):
            raise CheckpointError("the archive has entries in more than one folder")
        if member in entries:
            raise CheckpointError(f"the archive has the entry {quoted(member)} twice")
        folder = this_folder
        entries[member] = content
    if position != start:
        raise CheckpointError("the archive hides bytes between its last entry and its directory")
    _check_members(entries)
    return Archive(tag, entries)


def _read_tag(file: memoryview) -> str:
    if len(file) > MAX_FILE_BYTES:
        raise CheckpointError(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB")
    head = bytes(file[:4])
    if head[2:] != b"\x03\x04":
        if head[:1] == b"\x80" or bytes(file[257:262]) == b"ustar":
            raise CheckpointError(
                "the file has the layout of PyTorch before 1.6, and only the ZIP layout since "
                "then is read"
            )
        raise CheckpointError("the file is not a PyTorch checkpoint in ZIP layout")
    tag = head[:2].decode("latin-1")
    if tag not in TAGS:
        raise CheckpointError(
            f"the file starts with the unknown version tag {quoted(tag)}; known: {', '.join(TAGS)}"
        )
    return tag


def _directory_bounds(file: memoryview) -> tuple[int, int, int]:
    """Where the central directory starts and ends, and its number of entries."""
    end_at = len(file) - _END.size
    if end_at < 0:
        raise CheckpointError("the file is cut off")
    signature, disk, start_disk, here, count, length, start, comment = _END.unpack_from(
        file, end_at
    )
    if signature != b"PK\x05\x06":
        raise CheckpointError("the file is cut off, or something follows the end of the archive")
    if comment or disk or start_disk or here != count:
        raise CheckpointError("the archive has a comment or several volumes")
    directory_end = end_at
    if end_at >= _LOCATOR64.size and bytes(file[end_at - _LOCATOR64.size :][:4]) == b"PK\x06\x07":
        directory_end = end_at - _LOCATOR64.size - _END64.size
        _check_end64(file, directory_end, (count, length, start))
    if start + length != directory_end:
        raise CheckpointError("the archive's directory is not where its end record says")
    if count > MAX_ENTRIES:
        raise CheckpointError(f"the archive has {count} entries; at most {MAX_ENTRIES} are read")
    return start, directory_end, count


def _check_end64(file: memoryview, at: int, expected: tuple[int, int, int]) -> None:
    """The 64-bit end records must repeat the 32-bit one: no file of ours needs more."""
    if at < 0:
        raise CheckpointError("the file is cut off")
    signature, size, _, _, disk, start_disk, here, *rest = _END64.unpack_from(file, at)
    _, locator_disk, end64_at, disks = _LOCATOR64.unpack_from(file, at + _END64.size)
    if (
        signature != b"PK\x06\x06"
        or size != _END64.size - 12
        or (disk, start_disk, locator_disk, disks) != (0, 0, 0, 1)
        or here != rest[0]
        or tuple(rest) != expected
        or end64_at != at
    ):
        raise CheckpointError("the archive's two end records disagree")


def _central_entries(directory: memoryview, count: int) -> Iterator[_Entry]:
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(directory):
            raise CheckpointError("the archive's directory is cut off")
        (signature, _, _, flags, method, _, _, crc, stored, length, name_length, *lengths,
         _, _, offset) = _CENTRAL.unpack_from(directory, at)  # fmt: skip
        at += _CENTRAL.size
        name = bytes(directory[at : at + name_length])
        at += name_length
        if signature != b"PK\x01\x02" or at > len(directory):
            raise CheckpointError("the archive's directory is damaged")
        if any(lengths):  # of the extra field, of the comment; number of the volume
            raise CheckpointError("the archive's directory has fields that torch.save never writes")
        entry = _Entry(name, flags, crc, length, offset)
        _check_entry(entry, method, stored)
        yield entry
    if at != len(directory):
        raise CheckpointError("the archive's directory holds more than its entries")


def _check_entry(entry: _Entry, method: int, stored: int) -> None:
    if entry.flags & _FLAG_ENCRYPTED:
        raise CheckpointError(f"the archive's entry {entry.shown} is encrypted")
    if method != 0 or stored != entry.length:
        raise CheckpointError(f"the archive's entry {entry.shown} is compressed")
    if entry.flags & ~(_FLAG_DESCRIPTOR | _FLAG_UTF8):
        raise CheckpointError(f"the archive's entry {entry.shown} has unknown flags")


def _local_content(file: memoryview, entry: _Entry) -> tuple[memoryview, int]:
    """The bytes of an entry after all checks, and where the next one must start."""
    if entry.offset + _LOCAL.size > len(file):
        raise CheckpointError("the archive's directory points outside the file")
    header = _LOCAL.unpack_from(file, entry.offset)
    name_at = entry.offset + _LOCAL.size
    extra_at = name_at + header[-2]
    start = extra_at + header[-1]
    end = start + entry.length
    if end > len(file):
        raise CheckpointError("an entry of the archive reaches into its directory")
    if bytes(file[name_at:extra_at]) != entry.name or not _header_agrees(header, entry):
        raise CheckpointError("an entry of the archive disagrees with the archive's directory")
    _check_padding(file[extra_at:start])
    content = file[start:end]
    if zlib.crc32(content) != entry.crc:
        raise CheckpointError(f"the archive's entry {entry.shown} is damaged (wrong checksum)")
    return content, end + _descriptor_length(file[end:], entry)


def _header_agrees(header: tuple[Any, ...], entry: _Entry) -> bool:
    signature, magic, _, flags, method, _, _, *numbers = header[:-2]
    # Only the very first header may carry a version tag, and read_archive has checked which.
    if magic != b"\x03\x04" or (signature != b"PK" and entry.offset != 0):
        return False
    told_later = bool(flags & _FLAG_DESCRIPTOR) and numbers == [0, 0, 0]
    told = numbers == [entry.crc, entry.length, entry.length]
    return flags == entry.flags and method == 0 and (told or told_later)


def _check_padding(extra: memoryview) -> None:
    """An extra field may only be the alignment padding, once, to its end."""
    if len(extra) == 0:
        return
    if len(extra) < _EXTRA.size:
        raise CheckpointError("an entry of the archive has a damaged header")
    identifier, length = _EXTRA.unpack_from(extra)
    if identifier != _PADDING_ID or length != len(extra) - _EXTRA.size:
        raise CheckpointError("an entry of the archive has a header field torch.save never writes")


def _descriptor_length(rest: memoryview, entry: _Entry) -> int:
    """Length of the data descriptor after an entry; empty entries may have none."""
    if not entry.flags & _FLAG_DESCRIPTOR:
        return 0
    if entry.length == 0 and bytes(rest[:4]) != b"PK\x07\x08":
        return 0
    expected = _DESCRIPTOR.pack(b"PK\x07\x08", entry.crc, entry.length, entry.length)
    if bytes(rest[: _DESCRIPTOR.size]) != expected:
        raise CheckpointError("an entry of the archive disagrees with what follows it")
    return _DESCRIPTOR.size


def _split_name(name: bytes) -> tuple[str, str]:
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise CheckpointError("the archive has a name that is not UTF-8") from None
    folder, _, member = text.partition("/")
    if folder in ("", ".", "..") or not folder.isprintable() or re.search(r'[\\:*?"<>|]', folder):
        raise CheckpointError(f"the archive has the unsafe name {quoted(text)}")
    if not _MEMBER.fullmatch(member):
        raise CheckpointError(
            f"the archive has the entry {quoted(text)}, which a voice checkpoint never has"
        )
    return folder, member


def _check_members(entries: Mapping[str, memoryview]) -> None:
    if "data.pkl" not in entries:
        raise CheckpointError("the archive has no data.pkl, so it is not a PyTorch checkpoint")
    if bytes(entries.get("byteorder", memoryview(b"little"))[:16]) != b"little":
        raise CheckpointError("the checkpoint was written big-endian; only little-endian is read")
