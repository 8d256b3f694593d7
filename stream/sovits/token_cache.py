"""TokenCache: keys and values of one sentence, bound to the step graph where they lie.

The graph reads them in place and gives the slot to be added; so a step copies 200 kB instead of the
whole cache, and costs the same however long the sentence is. Grows by buckets of slots. Knows
nothing about tokens.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.stream.audio import Float32Array
from selftalk.stream.onnx import Session

BUCKET_SLOTS = 32
"""All slots are read in every step, also those that are not filled; growing copies the cache."""


class TokenCache:
    """Belongs to one thread."""

    def __init__(
        self, session: Session, keys: Float32Array, values: Float32Array, vocabulary: int
    ) -> None:
        """Begin after a prefill.

        Args:
            session: the step graph.
            keys: (L, 1, H, W, N) of the prefill.
            values: (L, 1, H, N, W).
            vocabulary: number of logits.
        """
        self._session = session
        self.length = keys.shape[4]
        layers, _, heads, width, _ = keys.shape
        self._token = np.zeros(1, np.int64)
        self._position = np.zeros(1, np.int64)
        self._logits = np.zeros((1, vocabulary), np.float32)
        self._new_keys = np.zeros((layers, 1, heads, width, 1), np.float32)
        self._new_values = np.zeros((layers, 1, heads, 1, width), np.float32)
        self._reserve(keys, values, self.length + 1)

    def step(self, token: int, position: int) -> Float32Array:
        """Run the graph for one token: logits (V,), valid until the next step."""
        if self.length == self._mask.shape[3]:
            self._reserve(self._keys, self._values, self.length + 1)
        self._token[0], self._position[0] = token, position
        self._session.run_with_iobinding(self._binding)
        self._keys[..., self.length] = self._new_keys[..., 0]
        self._values[:, :, :, self.length] = self._new_values[:, :, :, 0]
        self._mask[..., self.length] = 0
        self.length += 1
        logits: Float32Array = self._logits[0]
        return logits

    def _reserve(self, keys: Float32Array, values: Float32Array, slots: int) -> None:
        """Make room for at least so many slots, in whole buckets, and bind it."""
        slots = -(-slots // BUCKET_SLOTS) * BUCKET_SLOTS
        self._keys = np.zeros((*keys.shape[:4], slots), np.float32)
        self._keys[..., : self.length] = keys[..., : self.length]
        self._values = np.zeros((*values.shape[:3], slots, values.shape[4]), np.float32)
        self._values[:, :, :, : self.length] = values[:, :, :, : self.length]
        self._mask = np.full((1, 1, 1, slots), -np.inf, np.float32)
        self._mask[..., : self.length] = 0
        self._bind()

    def _bind(self) -> None:
        self._binding = self._session.io_binding()
        inputs: dict[str, npt.NDArray[Any]] = {
            "token": self._token,
            "position": self._position,
            "mask": self._mask,
        }
        for layer, (keys, values) in enumerate(zip(self._keys, self._values, strict=True)):
            inputs |= {f"keys.{layer}": keys, f"values.{layer}": values}
        outputs = {
            "logits": self._logits,
            "new_keys": self._new_keys,
            "new_values": self._new_values,
        }
        for name, array in inputs.items():
            self._binding.bind_input(name, *_place(array))
        for name, array in outputs.items():
            self._binding.bind_output(name, *_place(array))


def _place(array: npt.NDArray[Any]) -> tuple[str, int, type, tuple[int, ...], int]:
    """Where an array lies, as a binding wants it; the caller keeps the array."""
    return "cpu", 0, array.dtype.type, array.shape, array.ctypes.data
