"""Receipts of consent: what was agreed to, signed, one JSON file each; and what is left of them.

    trust/receipts/ID.json     a receipt and the signature of this installation
    trust/tombstones/ID.json   that there was one: when it ended and why, nothing about the person

Knows nothing about how consent is given, nor about synthesis.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from selftalk.stream.errors import ConsentError
from selftalk.stream.sound.audio import Float32Array, write_atomically
from selftalk.stream.trust.signing import is_ours, sign, trust_folder

FORMAT = 1
_ID = re.compile(r"[0-9a-f]{32}")
_INT8 = 127.0


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person agreed to, and how it was checked."""

    id: str
    voice: str
    """The name of the voice."""
    person: str
    """The name that was spoken."""
    purpose: str
    scope: tuple[str, ...]
    """What may be done with the voice."""
    language: str
    issued_at: datetime
    expires_at: datetime
    statement_sha256: str
    """Of the recorded sentence, which is not kept."""
    transcript: str
    """What was understood of it."""
    clips_sha256: tuple[str, ...]
    """Of the recordings of the voice that the speaker was compared with."""
    similarity: float
    """The lowest cosine between the sentence and one of them."""
    speaker: str
    """The speaker of the sentence as 256 bytes in Base64."""
    format: int = FORMAT

    def expired(self, now: datetime) -> bool:
        """Whether it no longer holds."""
        return now >= self.expires_at

    @property
    def embedding(self) -> Float32Array:
        """The speaker of the sentence, (256,) of length about 1."""
        numbers = np.frombuffer(base64.b64decode(self.speaker), np.int8).astype(np.float32)
        return np.asarray(numbers / max(float(np.linalg.norm(numbers)), 1.0), np.float32)


class Tombstone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left of a receipt: that there was one."""

    id: str
    voice: str
    ended_at: datetime
    reason: str


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    receipt: msgspec.Raw
    signature: str


def write_receipt(receipt: Receipt) -> Path:
    """Sign and keep a receipt.

    Raises:
        ConsentError: it cannot be written.
    """
    content = msgspec.json.encode(receipt, order="sorted")
    signed = msgspec.json.encode(_Signed(msgspec.Raw(content), sign(content)))
    return _write(_path("receipts", receipt.id), signed)


def read_receipt(receipt_id: str) -> Receipt:
    """Read a receipt that this installation signed.

    Raises:
        ConsentError: there is none of this number, it was withdrawn, or its file was changed.
    """
    path = _path("receipts", receipt_id)
    try:
        content = path.read_bytes()
    except OSError as error:
        tombstone = _read_tombstone(receipt_id)
        if tombstone is not None:
            day = f"{tombstone.ended_at:%Y-%m-%d}"
            raise ConsentError(f"its consent ended on {day}: {tombstone.reason}") from error
        raise ConsentError(f"its receipt of consent {receipt_id} cannot be read") from error
    try:
        signed = msgspec.json.decode(content, type=_Signed)
        receipt = msgspec.json.decode(signed.receipt, type=Receipt)
    except msgspec.MsgspecError as error:
        raise ConsentError(f"its receipt of consent {receipt_id} is damaged") from error
    if receipt.id != receipt_id or not is_ours(bytes(signed.receipt), signed.signature):
        raise ConsentError(
            f"its receipt of consent {receipt_id} was changed, or signed by another installation"
        )
    return receipt


def all_receipts() -> Iterator[Receipt | ConsentError]:
    """Every receipt that is kept; for one that is not valid, the reason."""
    for path in sorted((trust_folder() / "receipts").glob("*.json")):
        try:
            yield read_receipt(path.stem)
        except ConsentError as error:
            yield error


def receipts_of(voice: str) -> list[Receipt]:
    """The valid receipts of a voice, the newest last."""
    valid = (found for found in all_receipts() if isinstance(found, Receipt))
    return sorted((found for found in valid if found.voice == voice), key=lambda r: r.issued_at)


def end_receipt(receipt_id: str, voice: str, reason: str, now: datetime | None = None) -> None:
    """Delete a receipt and leave a tombstone.

    Raises:
        ConsentError: the tombstone cannot be written; then the receipt stays.
    """
    ended_at = now or datetime.now(UTC)
    tombstone = Tombstone(id=receipt_id, voice=voice, ended_at=ended_at, reason=reason)
    _write(_path("tombstones", receipt_id), msgspec.json.encode(tombstone))
    _path("receipts", receipt_id).unlink(missing_ok=True)


def packed(embedding: Float32Array) -> str:
    """A speaker embedding as a receipt keeps it."""
    rounded = np.rint(embedding / np.abs(embedding).max() * _INT8).astype(np.int8)
    return base64.b64encode(rounded.tobytes()).decode()


def sha256_of_samples(samples: Float32Array) -> str:
    """Hexadecimal SHA-256 of samples as little-endian float32."""
    return hashlib.sha256(samples.astype("<f4").tobytes()).hexdigest()


def _read_tombstone(receipt_id: str) -> Tombstone | None:
    try:
        content = _path("tombstones", receipt_id).read_bytes()
        return msgspec.json.decode(content, type=Tombstone)
    except (OSError, msgspec.MsgspecError):
        return None


def _path(kind: str, receipt_id: str) -> Path:
    if not _ID.fullmatch(receipt_id):
        raise ConsentError(f"'{receipt_id[:40]}' is not the number of a receipt of consent")
    return trust_folder() / kind / f"{receipt_id}.json"


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, content)
    except OSError as error:
        raise ConsentError(f"cannot write '{path}': {error.strerror}") from error
    return path
