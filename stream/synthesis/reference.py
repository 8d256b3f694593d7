"""Reference: a voice as a GPT-SoVITS model knows it, a part of a voice's file.

Knows nothing about how it is made or spoken with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array

Int64Array = npt.NDArray[np.int64]

_ARRAYS = ("style", "prompt", "phones")
_FEATURES = "bert"


@dataclass(frozen=True, slots=True)
class Reference:
    """What was heard in one recording."""

    model: str
    """Hash of the model that it was made with; others would misread it."""
    style: Float32Array
    """(G,) what the recording sounds like."""
    prompt: Int64Array
    """(T,) its semantic tokens, which new speech goes on from; perhaps none."""
    phones: Int64Array
    """(N,) what is said in it; none without a prompt."""
    bert: Float32Array | None = None
    """(N, W) features of these phones; None stands for zeros."""

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Its arrays by their names in a file."""
        names = _ARRAYS if self.bert is None else (*_ARRAYS, _FEATURES)
        return {f"reference.{name}": getattr(self, name) for name in names}


def read_reference(header: Mapping[str, Any], file: Any) -> Reference | None:
    """The reference in an open safetensors file, if it has one.

    Raises:
        ValueError: its arrays do not belong together.
    """
    if "model" not in header:
        return None
    names = (*_ARRAYS, _FEATURES) if f"reference.{_FEATURES}" in file.keys() else _ARRAYS  # noqa: SIM118
    arrays = (file.get_tensor(f"reference.{name}") for name in names)
    reference = Reference(header["model"], *arrays)
    if reference.bert is not None and len(reference.bert) != len(reference.phones):
        raise ValueError(f"{len(reference.bert)} features for {len(reference.phones)} phones")
    return reference
