"""StreamLabel: the label for machines, put into a file while its bytes go out.

Knows the formats by how they begin; raw samples, which have no place for a label, pass unchanged.
"""

import struct

from selftalk.stream.errors import LabelError
from selftalk.stream.trust import id3, ogg, riff, vorbis_comment
from selftalk.stream.trust.aigc import AigcLabel, new_label
from selftalk.stream.trust.labels import DEFAULT_LABELS, NAME, LabelsConfig, labelled

LONGEST_HEADER_BYTES = 1_000_000
UNKNOWN_BYTES = 0xFFFF_FFFF


class StreamLabel:
    """Takes the bytes of one file piece by piece; gives them back with the label in its head."""

    def __init__(self, config: LabelsConfig = DEFAULT_LABELS) -> None:
        self._label = new_label(config.producer) if config.file_label else None
        self._waiting = b""

    def push(self, piece: bytes) -> bytes:
        """Add bytes; return those that can go, none while the head is not complete."""
        if self._label is None:
            return piece
        self._waiting += piece
        begun = _with_label(self._waiting, self._label)
        if begun is None and len(self._waiting) < LONGEST_HEADER_BYTES:
            return b""
        if begun is None:
            begun = self._waiting
        self._label, self._waiting = None, b""
        return begun

    def flush(self) -> bytes:
        """Return what still waits: a whole FLAC file, or a stream that ended within its head."""
        rest, self._waiting = self._waiting, b""
        if self._label is None or not rest:
            return rest
        try:
            return labelled(rest, self._label)
        except LabelError:
            return rest


def _with_label(content: bytes, label: AigcLabel) -> bytes | None:
    """The beginning of a file with a label in it, or None while more is needed."""
    if len(content) < riff.HEADER_BYTES or vorbis_comment.is_flac(content):
        return None
    if riff.is_riff(content):
        return _riff_with(content, label)
    if ogg.is_ogg(content):
        try:
            return vorbis_comment.with_comments(content, {NAME: label.to_json()})
        except LabelError:
            return None
    if id3.is_mp3(content):
        return id3.with_text(content, NAME, label.to_json())
    return content


def _riff_with(content: bytes, label: AigcLabel) -> bytes | None:
    """The label before the sound, for whose length nobody waits."""
    place = content.find(b"data", riff.HEADER_BYTES)
    if place < 0:
        return None
    chunk = riff.chunk_of(NAME.encode(), label.to_json().encode())
    (size,) = struct.unpack_from("<I", content, 4)
    size = size if size == UNKNOWN_BYTES else size + len(chunk)
    head = b"RIFF" + struct.pack("<I", size) + content[8:place]
    return head + chunk + content[place:]
