"""The table of third-party weights, `configs/weights.toml`, read strictly.

Knows what each file must be and where it can be had; fetches nothing.
"""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Literal

import msgspec

from selftalk.stream.errors import WeightsError

Source = str | list[str]
"""A URL, a member of a package, or parts to be joined."""
PlainName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class WeightsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file; used only when its length and hash are these."""

    name: PlainName
    size_bytes: Annotated[int, msgspec.Meta(gt=0)]
    sha256: Sha256
    sources: list[Source] = []
    """Sources of this file alone; without any, those of its artefact hold."""


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of one model: a file, or several in one folder."""

    task: str
    set: Literal["default", "optional", "training"]
    licence: str
    publisher: str
    origin: Literal["publisher", "third-party-copy"]
    homepage: str
    files: Annotated[list[WeightsFile], msgspec.Meta(min_length=1)]
    sources: list[Source] = []

    @property
    def size_bytes(self) -> int:
        """Length of all files together."""
        return sum(file.size_bytes for file in self.files)

    def sources_of(self, file: WeightsFile) -> list[list[str]]:
        """Where a file can be had, in order; each source as the list of its parts."""
        sources = file.sources or self.sources
        parts = [[source] if isinstance(source, str) else source for source in sources]
        return [[part.replace("{name}", file.name) for part in source] for source in parts]


@functools.cache
def weights_table() -> Mapping[str, Artefact]:
    """The artefacts selftalk knows, by name."""
    text = (resources.files("selftalk.configs") / "weights.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[PlainName, Artefact])


def artefact_named(name: str) -> Artefact:
    """One artefact of the table.

    Raises:
        WeightsError: the name is not in the table.
    """
    table = weights_table()
    if name not in table:
        raise WeightsError(f"unknown weights '{name}'; known: {', '.join(table)}")
    return table[name]
