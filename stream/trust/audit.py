"""The audit log: what was done with whose voice, in lines that cannot be changed unnoticed.

Each line holds the hash of the one before it, so that a line that is edited, removed, or moved
breaks the chain; the signed head file says how long the chain is, so that its end cannot be cut
off. No texts are kept, only how long they were. Knows nothing about what the events mean.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from selftalk.stream.errors import ConsentError, LabelError
from selftalk.stream.file_lock import file_lock
from selftalk.stream.sound.audio import write_atomically
from selftalk.stream.trust.signing import is_ours, sign, trust_folder

BEGINNING = "0" * 64
KEPT_DAYS = 183
"""What a law asks at least where labels were left out on a user's wish; nothing is ever deleted."""


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lines: int
    hash: str
    signature: str
    length_bytes: int = 0
    """Of the log with those lines; where to look for more, and no more than a hint."""


class AuditLog:
    """An append-only file of events, safe for several processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or trust_folder()
        self.path = self._folder / "audit.jsonl"
        self._head_path = self._folder / "audit.head"

    def append(self, event: str, **facts: str | int | float) -> None:
        """Add a line.

        Raises:
            LabelError: it cannot be written; whatever it is about must not be done then.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with file_lock(self._folder / "audit.lock"):
                self._append(event, facts)
        except (OSError, ConsentError) as error:
            raise LabelError(f"the audit log '{self.path}' cannot be written: {error}") from error

    def verify(self) -> tuple[int, str]:
        """Count the lines, and say what is wrong with them; an empty sentence if nothing is."""
        previous, count = BEGINNING, 0
        for count, line in enumerate(self.lines(), start=1):
            reason = _wrong_with(line, count, previous)
            if reason:
                return count, f"line {count} {reason}"
            previous = _hash(line)
        return count, self._wrong_with_head(count, previous)

    def _append(self, event: str, facts: dict[str, str | int | float]) -> None:
        head = self._recovered(self._read_head() or _Head(0, BEGINNING, ""))
        entry = {
            "line": head.lines + 1,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "event": event,
            **facts,
            "previous": head.hash,
        }
        line = json.dumps(entry, ensure_ascii=False).encode()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line + b"\n")
            length = file.tell()
        digest = _hash(line)
        signature = sign(_head_message(entry["line"], digest))
        head = _Head(head.lines + 1, digest, signature, length)
        write_atomically(self._head_path, msgspec.json.encode(head))

    def _recovered(self, head: _Head) -> _Head:
        """The head, moved on by the line that a crash left without one."""
        lines = self._lines_behind(head)
        if len(lines) == 1 and not _wrong_with(lines[0], head.lines + 1, head.hash):
            return _Head(head.lines + 1, _hash(lines[0]), "")
        return head

    def _lines_behind(self, head: _Head) -> list[bytes]:
        if not head.length_bytes:
            return self.lines()[head.lines :]
        try:
            with self.path.open("rb") as file:
                file.seek(head.length_bytes)
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def lines(self) -> list[bytes]:
        """Every line as it stands in the file."""
        try:
            return self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []

    def _read_head(self) -> _Head | None:
        try:
            return msgspec.json.decode(self._head_path.read_bytes(), type=_Head)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise OSError(f"'{self._head_path}' is damaged") from error

    def _wrong_with_head(self, lines: int, last_hash: str) -> str:
        try:
            head = self._read_head()
        except OSError as error:
            return str(error)
        if head is None:
            return "the log has lines but no head" if lines else ""
        if not is_ours(_head_message(head.lines, head.hash), head.signature):
            return "the head of the log was not signed by this installation"
        if head.lines != lines:
            return f"the log ends after line {lines}, its head says line {head.lines}"
        return "" if head.hash == last_hash else f"line {lines} is not the one that was signed"


def append(event: str, **facts: str | int | float) -> None:
    """Add a line to this installation's log; see `AuditLog.append`."""
    AuditLog().append(event, **facts)


def _wrong_with(line: bytes, number: int, previous: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return "is not JSON"
    if not isinstance(entry, dict) or entry.get("line") != number:
        return f"has the number {entry.get('line') if isinstance(entry, dict) else None}"
    return "" if entry.get("previous") == previous else "does not continue the line before it"


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _head_message(lines: object, digest: str) -> bytes:
    return f"selftalk audit {lines} {digest}".encode()
