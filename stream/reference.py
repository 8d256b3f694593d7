"""Reference: a voice as a GPT-SoVITS model knows it, a part of a voice's file.

Knows nothing about how it is made or spoken with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.stream.audio import Float32Array

Int64Array = npt.NDArray[np.int64]

_ARRAYS = ("style", "prompt", "phones")


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

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Its arrays by their names in a file."""
        return {f"reference.{name}": getattr(self, name) for name in _ARRAYS}


def read_reference(header: Mapping[str, Any], file: Any) -> Reference | None:
    """The reference in an open safetensors file, if it has one."""
    if "model" not in header:
        return None
    return Reference(header["model"], *(file.get_tensor(f"reference.{name}") for name in _ARRAYS))
