"""The confined process in which a user's checkpoint is read: file in, safetensors and JSON out.

Started by the importer as `python -m selftalk.export.checkpoint_worker FILE FOLDER [KIND]`, where
KIND is "voice" (if not given), or "weights" for the tensors of another network. The reader it runs
is harmless by design; the confinement is for what nobody thought of. Once everything is imported,
memory, processor time, file size and processes are limited, and any attempt to import, compile,
start a program, or touch the network ends the process on the spot.

Exit code 0: FOLDER has `tensors.safetensors` and `layout.json`. 2: refused, the one sentence
is on standard error. Anything else: killed by a limit or the tripwire.
"""

import contextlib
import json
import mmap
import os
import stat
import sys
from pathlib import Path
from typing import Any

from safetensors.numpy import save_file

from selftalk.export.checkpoint_layout import Layout, recognise, recognise_weights
from selftalk.export.checkpoint_pickle import read_pickle
from selftalk.export.checkpoint_tensors import Array, read_tensors
from selftalk.export.checkpoint_zip import MAX_FILE_BYTES, read_archive
from selftalk.stream.errors import CheckpointError

TENSORS_FILE = "tensors.safetensors"
LAYOUT_FILE = "layout.json"
REFUSED = 2
TRIPPED = 3

BASE_MEMORY_BYTES = 256 << 20
"""On top of what the imports took; the worst pickle that is accepted needs about 60 MiB."""
MEMORY_PER_FILE_BYTE = 4
"""The mapped file, the tensors, their copy on the way to the disk, and room."""
CPU_SECONDS = 60

_FORBIDDEN_EVENTS = (
    "import", "exec", "compile", "pickle.", "marshal.", "code.", "ctypes.", "subprocess.",
    "socket.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.kill", "os.remove", "os.rename", "os.chmod", "os.symlink", "os.link", "shutil.", "pty.",
    "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "sqlite3.", "winreg.",
)  # fmt: skip


def read_checkpoint_file(path: Path, kind: str = "voice") -> tuple[Layout, dict[str, Array]]:
    """Read and recognise a checkpoint in this process, without any confinement.

    Raises:
        CheckpointError: the file is refused; the message is one sentence without the file's name.
    """
    archive = read_archive(memoryview(_map(path)))
    told = recognise_weights if kind == "weights" else recognise
    layout = told(archive.tag, read_pickle(archive.entries["data.pkl"]))
    return layout, read_tensors(layout.weight, archive.entries)


def _map(path: Path) -> mmap.mmap:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CheckpointError("the path is not a regular file")
        if status.st_size == 0:
            raise CheckpointError("the file is empty")
        if status.st_size > MAX_FILE_BYTES:
            raise CheckpointError(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB")
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)


def confine(file_bytes: int) -> None:
    """Limit this process for good, as far as the system allows; call after all imports."""
    with contextlib.suppress(ImportError):  # Windows: the importer's timeout remains
        import resource

        memory = _mapped_bytes() + BASE_MEMORY_BYTES + MEMORY_PER_FILE_BYTE * file_bytes
        for limit, most in (
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_CPU, CPU_SECONDS),
            (resource.RLIMIT_FSIZE, BASE_MEMORY_BYTES + MEMORY_PER_FILE_BYTE * file_bytes),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NPROC, 0),
        ):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(limit, (most, most))
    sys.addaudithook(_tripwire)


def _mapped_bytes() -> int:
    """Address space in use; unknown outside Linux, where half a gigabyte is a fair guess."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 512 << 20
    return pages * os.sysconf("SC_PAGE_SIZE")


def _tripwire(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN_EVENTS):
        os._exit(TRIPPED)


def main(arguments: list[str]) -> int:
    """Read the file named first and write the results to the folder named second."""
    path, folder = Path(arguments[0]), Path(arguments[1])
    kind = arguments[2] if len(arguments) > 2 else "voice"
    try:
        confine(path.stat().st_size)
        layout, tensors = read_checkpoint_file(path, kind)
        save_file(tensors, folder / TENSORS_FILE)
        _write_layout(layout, folder / LAYOUT_FILE)
    except CheckpointError as error:
        return _refuse(str(error))
    except MemoryError:
        return _refuse("the checkpoint needs more memory than a voice of its size ever would")
    except OSError as error:
        return _refuse(f"the file cannot be read ({error.strerror})")
    return 0


def _write_layout(layout: Layout, path: Path) -> None:
    described = {
        "kind": layout.kind,
        "version": layout.version,
        "info": layout.info,
        "config": layout.config,
    }
    path.write_text(json.dumps(described, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
