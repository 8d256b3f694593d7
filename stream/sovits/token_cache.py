"""TokenCache: keys and values of one sentence, bound to the step graph where they lie.

The graph reads the slots that are filled and writes the next one in place; so a step copies
nothing. Knows nothing about tokens.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.stream.graphs.graph import AFTER, BEFORE
from selftalk.stream.graphs.onnx import Session
from selftalk.stream.sound.audio import Float32Array

SPARE_SLOTS = 128
"""Room for five seconds; when it is used up the cache is copied to where there is more."""


class TokenCache:
    """Belongs to one thread."""

    def __init__(
        self, session: Session, keys: Float32Array, values: Float32Array, vocabulary: int
    ) -> None:
        """Begin after a prefill.

        Args:
            session: the step graph.
            keys: (L, 1, H, N, W) of the prefill.
            values: (L, 1, H, N, W).
            vocabulary: number of logits.
        """
        self._session = session
        self._token = np.zeros(1, np.int64)
        self._position = np.zeros(1, np.int64)
        self._filled = np.full(1, keys.shape[3], np.int32)
        self._logits = np.zeros((1, vocabulary), np.float32)
        self._reserve(keys, values)

    @property
    def length(self) -> int:
        """How many slots are filled."""
        return int(self._filled[0])

    def step(self, token: int, position: int) -> Float32Array:
        """Run the graph for one token: logits (V,), valid until the next step."""
        if self.length == self._keys.shape[3]:
            self._reserve(self._keys, self._values)
        self._token[0], self._position[0] = token, position
        self._session.run_with_iobinding(self._binding)
        self._filled += 1
        logits: Float32Array = self._logits[0]
        return logits

    def _reserve(self, keys: Float32Array, values: Float32Array) -> None:
        """Make room after the slots that are filled, and bind it."""
        self._keys, self._values = (with_room(part) for part in (keys, values))
        self._binding = self._session.io_binding()
        inputs: dict[str, npt.NDArray[Any]] = {
            "token": self._token,
            "position": self._position,
            "filled": self._filled,
        }
        for name, array in inputs.items():
            self._binding.bind_input(name, *_place(array))
        self._binding.bind_output("logits", *_place(self._logits))
        for part, layers in (("keys", self._keys), ("values", self._values)):
            for index, array in enumerate(layers):
                self._binding.bind_input(f"{BEFORE}{part}.{index}", *_place(array))
                self._binding.bind_output(f"{AFTER}{part}.{index}", *_place(array))


def with_room(slots: Float32Array) -> Float32Array:
    """Slots (L, 1, H, S, W) and some more, which are empty."""
    L, B, H, S, W = slots.shape
    roomy = np.empty((L, B, H, S + SPARE_SLOTS, W), np.float32)
    roomy[..., :S, :] = slots
    return roomy


def _place(array: npt.NDArray[Any]) -> tuple[str, int, type, tuple[int, ...], int]:
    """Where an array lies, as a binding wants it; the caller keeps the array."""
    return "cpu", 0, array.dtype.type, array.shape, array.ctypes.data
