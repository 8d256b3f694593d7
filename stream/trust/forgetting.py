"""Forgetting: a voice is deleted with all that was made from it; a tombstone stays.

Recordings, embeddings, fine-tuned weights and caches lie in folders of their kind, each under the
name of the voice; so everything of that name goes. Knows nothing about what the files hold. The
disk's own copies (snapshots, backups, blocks not yet reused) are out of reach.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from selftalk.stream.errors import VoiceError
from selftalk.stream.home import cache_folder, data_folder
from selftalk.stream.synthesis.voices import SUFFIX, Voice, check_voice_name
from selftalk.stream.trust import audit
from selftalk.stream.trust.receipts import all_receipts, end_receipt
from selftalk.stream.trust.signing import trust_folder


def forget_voice(name: str) -> list[Path]:
    """Delete a voice of the user's; return what was deleted.

    Raises:
        VoiceError: there is nothing of this name, or it cannot be deleted.
        LabelError: the log cannot be written; then nothing was deleted.
    """
    check_voice_name(name)
    found = sorted(_everything_of(name))
    ended = [receipt for receipt in all_receipts() if getattr(receipt, "voice", None) == name]
    if not found and not ended:
        raise VoiceError(f"there is no voice of yours called '{name}'")
    audit.append("voice deleted", voice=name, files=len(found))
    for receipt_id in {*_named_in(found), *(getattr(receipt, "id", "") for receipt in ended)}:
        end_receipt(receipt_id, name, "the voice was deleted")
    for path in found:
        try:
            _delete(path)
        except OSError as error:
            raise VoiceError(f"'{path}' cannot be deleted: {error.strerror}") from error
    return found


def _everything_of(name: str) -> Iterator[Path]:
    """Files and folders of this name in every folder of data and caches, one level down."""
    for home in {data_folder(), cache_folder()}:
        for kind in _folders(home):
            if kind in (trust_folder(), cache_folder() / "weights"):
                continue
            for entry in kind.iterdir():
                # NAME, NAME.voice, and what a killed run left behind: .NAME.part
                if entry.name.lstrip(".").split(".")[0] == name:
                    yield entry
                elif entry.is_dir():  # a model, which has voices of its own
                    yield from entry.glob(f"voices/{name}{SUFFIX}")


def _folders(home: Path) -> Iterator[Path]:
    if home.is_dir():
        yield from (entry for entry in home.iterdir() if entry.is_dir())


def _named_in(paths: list[Path]) -> Iterator[str]:
    """Receipts that voice files name, also when the receipts themselves are damaged."""
    for path in paths:
        if path.suffix == SUFFIX:
            try:
                yield Voice.load(path).about["receipt"]
            except (VoiceError, KeyError):
                continue


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
