"""The one door for foreign checkpoints: a user's file in, plain arrays and settings out.

Knows no file format; a confined process reads the file (see checkpoint_worker), and only
safetensors and JSON come back. `torch.load` and `pickle` never see a user's file.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from safetensors.numpy import load_file

from selftalk.export.checkpoint_tensors import Array
from selftalk.export.checkpoint_worker import LAYOUT_FILE, REFUSED, TENSORS_FILE
from selftalk.stream.errors import CheckpointError

BASE_TIMEOUT_SECONDS = 20.0
"""A slow, busy machine needs a few seconds to start a process; a file is read in far less."""
SECONDS_PER_MEBIBYTE = 0.2
_INHERITED_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")
_MAX_SENTENCE_BYTES = 500


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One imported GPT-SoVITS checkpoint, under the names its trainer gave."""

    tensors: dict[str, Array]
    """Layer name to its array, in the type it was stored in (bfloat16 as float32)."""
    config: dict[str, Any]
    """The training config, always with a `model` section in genuine files."""
    kind: Literal["s1", "s2", "weights"]
    """s1: phonemes to semantic tokens (GPT); s2: tokens to speech (SoVITS)."""
    version: str
    """s1: v1, v2 (which serves v2Pro and v2ProPlus) or unknown; s2: v1, v2, v2Pro, v2ProPlus."""
    info: str = ""
    """The trainer's note, such as `8epoch_408iteration`."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint in a confined process.

    Raises:
        CheckpointError: the file is refused, unreadable, or broke a limit.
    """
    with tempfile.TemporaryDirectory(prefix="selftalk-import-") as folder:
        unpack_checkpoint(path, Path(folder))
        return load_unpacked(Path(folder))


def read_weights(path: Path) -> dict[str, Array]:
    """Read the tensors of a network that is no voice, from safetensors or a torch file.

    Raises:
        CheckpointError: as in read_checkpoint.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise _refusal(path, f"it is no safetensors file ({error})") from None
    with tempfile.TemporaryDirectory(prefix="selftalk-import-") as folder:
        unpack_checkpoint(path, Path(folder), "weights")
        return load_unpacked(Path(folder)).tensors


def unpack_checkpoint(path: Path, folder: Path, kind: str = "voice") -> None:
    """Let the confined process write the checkpoint's safetensors and JSON into a folder.

    Args:
        path: the file.
        folder: where the results go.
        kind: "voice", or "weights" for the tensors of any network.

    Raises:
        CheckpointError: as in read_checkpoint; the folder may then hold half a result.
    """
    complaint = folder / "refused.txt"
    try:
        megabytes = path.stat().st_size / (1 << 20)
        with complaint.open("wb") as stderr:
            finished = subprocess.run(
                _command(path.absolute(), folder.absolute(), kind),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=folder,
                env=_environment(),
                timeout=BASE_TIMEOUT_SECONDS + SECONDS_PER_MEBIBYTE * megabytes,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise _refusal(path, "reading it takes far longer than it should") from None
    except OSError as error:
        raise _refusal(path, f"the file cannot be read ({error.strerror})") from None
    if finished.returncode == REFUSED:
        sentence = complaint.read_bytes()[:_MAX_SENTENCE_BYTES].decode("utf-8", "replace")
        raise _refusal(path, sentence)
    if finished.returncode != 0:
        raise _refusal(path, f"its reader was stopped (exit code {finished.returncode})")
    complaint.unlink()


def load_unpacked(folder: Path) -> Checkpoint:
    """Load what unpack_checkpoint wrote."""
    try:
        described = json.loads((folder / LAYOUT_FILE).read_text(encoding="utf-8"))
        tensors = load_file(folder / TENSORS_FILE)
        return Checkpoint(tensors, **described)
    except (OSError, ValueError, TypeError, SafetensorError):
        raise CheckpointError(f"the imported checkpoint in {folder} is damaged") from None


def _command(path: Path, folder: Path, kind: str) -> list[str]:
    # -P: the current folder, a user's, is no place to import from.
    worker = ["-P", "-B", "-m", "selftalk.export.checkpoint_worker"]
    return [sys.executable, *worker, str(path), str(folder), kind]


def _environment() -> dict[str, str]:
    """Only what Python needs to start; no keys, tokens, or proxies of the user."""
    inherited = {name: os.environ[name] for name in _INHERITED_ENVIRONMENT if name in os.environ}
    # Each BLAS thread reserves address space that would count against the limit.
    return {**inherited, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def _refusal(path: Path, sentence: str) -> CheckpointError:
    return CheckpointError(f"{path.name!r} cannot be imported: {sentence}")
