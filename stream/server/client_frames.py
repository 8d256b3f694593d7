"""ClientFrames: the bytes of a client, cut into WebSocket frames (RFC 6455, section 5.2).

Nearly all that a client sends is one kind of frame: a whole text message. Those are read here, for
a third of what a parser of everything takes; who cuts leaves all other frames to such a parser.
Knows nothing about connections.
"""

from struct import unpack_from

from websockets.frames import apply_mask  # type: ignore[attr-defined]

WHOLE_TEXT = 0x81
"""The first byte of a frame that is a whole text message: final, nothing reserved."""
MASKED = 0x80
MASK_BYTES = 4


class ClientFrames:
    """Collects bytes until they are whole frames."""

    def __init__(self, max_bytes: int) -> None:
        """Take how long a frame may be."""
        self._max_bytes = max_bytes
        self._rest = bytearray()

    def push(self, received: bytes) -> list[bytes]:
        """Add bytes; return the frames that are complete, each with its header."""
        if not self._rest and _frame_bytes(received) == len(received) <= self._max_bytes:
            return [received]
        self._rest += received
        frames = []
        while 0 != (length := _frame_bytes(self._rest)) <= min(len(self._rest), self._max_bytes):
            frames.append(bytes(self._rest[:length]))
            del self._rest[:length]
        return frames

    def too_long(self) -> bytes:
        """Return what there is of a frame that is too long to be waited for, and forget it."""
        if not self._rest or _frame_bytes(self._rest) <= self._max_bytes:
            return b""
        rest, self._rest = bytes(self._rest), bytearray()
        return rest


def whole_text(frame: bytes) -> bytes | None:
    """The payload of a frame that is a whole text message; None for any other."""
    if frame[0] != WHOLE_TEXT or not frame[1] & MASKED:
        return None
    start = _header_bytes(frame[1])
    return apply_mask(frame[start:], frame[start - MASK_BYTES : start])


def _frame_bytes(received: bytes | bytearray) -> int:
    """How long the frame is that begins here; 0 while its header is not complete."""
    if len(received) < 2 or len(received) < (header := _header_bytes(received[1])):
        return 0
    length = received[1] & ~MASKED
    if length == 126:
        (length,) = unpack_from("!H", received, 2)
    elif length == 127:
        (length,) = unpack_from("!Q", received, 2)
    return header + length


def _header_bytes(second: int) -> int:
    """How long a header is, by its second byte."""
    mask = MASK_BYTES if second & MASKED else 0
    return 2 + {126: 2, 127: 8}.get(second & ~MASKED, 0) + mask
