"""Shelf: voice models by name, one of them open besides the server's own.

A name is looked up among the installed bundles and never becomes a path.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from selftalk.stream.errors import BundleError
from selftalk.stream.synthesis.bundle import MANIFEST, bundles_folder
from selftalk.stream.synthesis.synthesizer import Synthesizer

TRAINING_STEPS = re.compile(r"[-_]e\d+(?:_s\d+)?$")
"""What GPT-SoVITS adds to the names of weights: "me-e15.ckpt", "me_e8_s200.pth"."""

Open = Callable[[Path], Synthesizer]


class Shelf:
    """The models that may be chosen, and the chosen one."""

    def __init__(
        self, own: Synthesizer, bundles: Callable[[], Mapping[str, Path]], open_bundle: Open
    ) -> None:
        """Begin with the server's own model.

        Args:
            own: always open.
            bundles: folders of the installed models by name.
            open_bundle: loads one.
        """
        self._own = own
        self._bundles = bundles
        self._open = open_bundle
        self.chosen = own
        self.name = own.bundle.manifest.name

    @property
    def is_own(self) -> bool:
        """Whether the server's own model is chosen."""
        return self.chosen is self._own

    def choose(self, reference: str) -> None:
        """Open a model; takes a while, so best called in a thread.

        Raises:
            BundleError: there is none of that name, or it is damaged.
        """
        bundles = self._bundles()
        own_name = self._own.bundle.manifest.name
        name = named(reference, {own_name, *bundles})
        if name is None:
            known = ", ".join(sorted({own_name, *bundles}))
            raise BundleError(f"this is not the name of a voice model; known: {known}")
        if name != self.name:
            self.chosen = self._own if name == own_name else self._open(bundles[name])
            self.name = name


def installed_bundles() -> dict[str, Path]:
    """Folders of the user's own voice models that are ready to speak, by name."""
    found = sorted(bundles_folder().glob(f"*/{MANIFEST}"))
    return {manifest.parent.name: manifest.parent for manifest in found}


def named(reference: str, known: Iterable[str]) -> str | None:
    """Which known name a file's name or path means; None if none, or if it climbs out of folders.

    The reference is only ever compared: "me", "me.wav", "C:/voices/Me.wav", "me_e8_s200.pth".
    """
    parts = re.split(r"[/\\]", reference)
    if ".." in parts or not reference.isprintable():
        return None
    by_name = {name.casefold(): name for name in known}
    stem, _, suffix = parts[-1].rpartition(".")
    for candidate in (parts[-1], stem if stem and suffix else "", TRAINING_STEPS.sub("", stem)):
        if found := by_name.get(candidate.casefold()):
            return found
    return None
