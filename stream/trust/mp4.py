"""Named texts in MP4 files (M4A, M4B): read one, as `keys` and `ilst` in `moov.udta.meta` keep it.

The writer is PyAV; see `studio/audiobook.py`. Knows nothing about what the text says.
"""

from collections.abc import Iterator

_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16
_FULL_BOX_BYTES = 4  # version and flags
_DATA_BYTES = 8  # of a `data` atom before its text: type and locale


def is_mp4(content: bytes) -> bool:
    """Whether this is an MP4 file."""
    return content[4:8] == b"ftyp"


def read_text(content: bytes, name: str) -> str | None:
    """The text of this name among the metadata; None if there is none."""
    for moov in _inside(content, b"moov"):
        for place in (moov, *_inside(moov, b"udta")):
            for meta in _inside(place, b"meta"):
                text = _in_meta(_atoms_of_meta(meta), name)
                if text is not None:
                    return text
    return None


def _in_meta(meta: bytes, name: str) -> str | None:
    """The text that `ilst` holds under the number that `keys` gives to the name."""
    for keys in _inside(meta, b"keys"):
        names = [key for _, key in _atoms(keys[2 * _FULL_BOX_BYTES :])]
        if name.encode() not in names:
            continue
        number = (1 + names.index(name.encode())).to_bytes(4)
        for items in _inside(meta, b"ilst"):
            for item in _inside(items, number):
                for data in _inside(item, b"data"):
                    return data[_DATA_BYTES:].decode("utf-8", "replace")
    return None


def _atoms_of_meta(meta: bytes) -> bytes:
    """ISO files put version and flags first, QuickTime's do not."""
    return meta if meta[4:8] == b"hdlr" else meta[_FULL_BOX_BYTES:]


def _inside(content: bytes, name: bytes) -> Iterator[bytes]:
    return (body for found, body in _atoms(content) if found == name)


def _atoms(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies of the atoms in a row; what is damaged ends it."""
    place = 0
    while place + _HEADER_BYTES <= len(content):
        size, header = int.from_bytes(content[place : place + 4]), _HEADER_BYTES
        if size == 1:  # the length is too large for four bytes and stands behind the name
            header = _LONG_HEADER_BYTES
            size = int.from_bytes(content[place + _HEADER_BYTES : place + header])
        elif size == 0:  # to the end of the file
            size = len(content) - place
        if size < header or place + size > len(content):
            return
        yield content[place + 4 : place + 8], content[place + header : place + size]
        place += size
