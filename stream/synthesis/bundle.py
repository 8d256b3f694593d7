"""Bundle: a folder with the graphs of one voice model and the manifest that describes them.

The manifest is the contract between export and runtime: what each file is and its hash, rates,
symbol table, initial states. Files are named, never looked for.

    nano/bundle.json    nano/t2s_prefill.onnx …    nano/voices/*.voice

Knows nothing about how graphs are made or run.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec

from selftalk.stream.errors import BundleError
from selftalk.stream.home import data_folder

FORMAT = 1
MANIFEST = "bundle.json"
DEFAULT_BUNDLE = "nano"


class GraphSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One graph file."""

    file: str
    sha256: str
    bytes: int
    precision: str
    state: dict[str, tuple[int, ...]] = {}
    """Shapes of the initial state, all zeros; port names without `state.`."""


class WeightsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file beside the graphs: tensors that they share, or a vocabulary."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `bundle.json` says."""

    format: int
    name: str
    kind: str
    """The architecture: "nano" or "sovits"."""
    version: str
    licence: str
    sample_rate_hz: int
    token_rate_hz: float
    symbols: str
    """The symbol table: "v1" or "v2"."""
    languages: tuple[str, ...]
    graphs: dict[str, GraphSpec]
    numbers: dict[str, float] = {}
    """Constants of the architecture, by name."""
    weights: dict[str, WeightsSpec] = {}
    """Files beside the graphs, by name."""
    source: dict[str, str] = {}
    """Hashes of what it was made from, by name."""
    made_with: dict[str, str] = {}
    """Versions of what made it: the same ones make the same bytes."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A manifest and the folder it describes."""

    folder: Path
    manifest: Manifest

    @classmethod
    def load(cls, folder: str | Path) -> "Bundle":
        """Read and check a manifest; hashes are checked by `verify`.

        Args:
            folder: of the bundle, or its name when it was exported on this machine.

        Raises:
            BundleError: there is no manifest, or it is of another format, or files are missing.
        """
        folder = Path(folder)
        named = bundles_folder() / folder
        if not (folder / MANIFEST).is_file() and len(folder.parts) == 1 and named.is_dir():
            folder = named
        path = folder / MANIFEST
        if not path.is_file():
            raise BundleError(f"'{folder}' is not a bundle: it holds no {MANIFEST}")
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except msgspec.MsgspecError as error:
            raise BundleError(f"'{path}' is not a valid manifest: {error}") from error
        if manifest.format != FORMAT:
            raise BundleError(
                f"bundle '{manifest.name}' has format {manifest.format};"
                f" this version reads {FORMAT}"
            )
        bundle = cls(folder, manifest)
        for name in manifest.graphs:
            bundle.graph_path(name)
        for name in manifest.weights:
            bundle.file_path(name)
        return bundle

    def graph_path(self, name: str) -> Path:
        """The file of a graph.

        Raises:
            BundleError: the bundle has no such graph, or its file is missing or outside.
        """
        spec = self.manifest.graphs.get(name)
        if spec is None:
            known = ", ".join(sorted(self.manifest.graphs))
            raise BundleError(
                f"bundle '{self.manifest.name}' has no graph '{name}'; it has {known}"
            )
        return self.file_path(spec.file)

    def file_path(self, file: str) -> Path:
        """A file that the manifest names.

        Raises:
            BundleError: it is missing or outside.
        """
        if Path(file).name != file:
            raise BundleError(f"'{file}' lies outside the bundle '{self.manifest.name}'")
        path = self.folder / file
        if not path.is_file():
            raise BundleError(f"bundle '{self.manifest.name}' lacks its file '{file}'")
        return path

    def state_shapes(self, name: str) -> dict[str, tuple[int, ...]]:
        """Shapes of a graph's initial state."""
        return self.manifest.graphs[name].state

    @property
    def voices_folder(self) -> Path:
        """Where the bundle keeps its own voices."""
        return self.folder / "voices"

    def verify(self) -> None:
        """Compare every file with its hash.

        Raises:
            BundleError: a file is damaged.
        """
        hashes = {spec.file: spec.sha256 for spec in self.manifest.graphs.values()}
        hashes |= {name: spec.sha256 for name, spec in self.manifest.weights.items()}
        for file, sha256 in hashes.items():
            if sha256_of(self.folder / file) != sha256:
                raise BundleError(f"'{self.folder / file}' is damaged: its hash is wrong")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bundles_folder() -> Path:
    """Where the user's exported voice models are kept."""
    return data_folder() / "bundles"


def default_bundle() -> Bundle:
    """The bundle that comes with selftalk."""
    return Bundle.load(Path(str(resources.files("selftalk.configs"))) / "bundles" / DEFAULT_BUNDLE)
