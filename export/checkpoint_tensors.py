"""Tensors of a checkpoint as numpy arrays: windows into storages, made contiguous.

Knows nothing about how the windows were described or what the tensors mean. Every count was
checked against the storage before; here each storage is checked against its bytes.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from selftalk.export.checkpoint_pickle import Storage, TensorPlace
from selftalk.export.checkpoint_zip import quoted
from selftalk.stream.errors import CheckpointError

Array = npt.NDArray[Any]

MAX_SHARING = 4
"""Tied weights share a storage, a file whose tensors are far larger than itself is a bomb."""


def read_tensors(
    places: Mapping[str, TensorPlace], entries: Mapping[str, memoryview]
) -> dict[str, Array]:
    """Turn each place into a contiguous array of the tensor's own type.

    numpy has no bfloat16, so those become float32, which holds every one of them exactly.

    Args:
        places: tensor name to its window.
        entries: the archive's entries; storages are `data/{key}`.

    Raises:
        CheckpointError: a storage is missing or of another size, or the tensors share too much.
    """
    _check_sharing(places, entries)
    return {name: _read_tensor(name, place, entries) for name, place in places.items()}


def _check_sharing(places: Mapping[str, TensorPlace], entries: Mapping[str, memoryview]) -> None:
    total = sum(math.prod(p.shape) * _itemsize(p.storage.dtype) for p in places.values())
    held = sum(len(entry) for entry in entries.values())
    if total > MAX_SHARING * held:
        raise CheckpointError(f"the checkpoint's tensors are over {MAX_SHARING} times its size")


def _itemsize(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def _read_tensor(name: str, place: TensorPlace, entries: Mapping[str, memoryview]) -> Array:
    flat = _read_storage(name, place.storage, entries)
    if math.prod(place.shape) == 0:
        return np.zeros(place.shape, flat.dtype)
    window = np.lib.stride_tricks.as_strided(
        flat[place.offset :],
        place.shape,
        [step * flat.itemsize for step in place.strides],
        writeable=False,
    )
    tensor = np.ascontiguousarray(window).reshape(place.shape)  # () stays ()
    return _widen_bfloat16(tensor) if place.storage.dtype == "bfloat16" else tensor


def _read_storage(name: str, storage: Storage, entries: Mapping[str, memoryview]) -> Array:
    content = entries.get(f"data/{storage.key}")
    if content is None:
        raise CheckpointError(f"the checkpoint lacks the data of tensor {quoted(name)}")
    if len(content) != storage.elements * _itemsize(storage.dtype):
        raise CheckpointError(f"the data of the checkpoint's tensor {quoted(name)} is cut off")
    if storage.dtype == "bfloat16":
        return np.frombuffer(content, "<u2")
    if storage.dtype == "bool":
        return np.frombuffer(content, np.uint8) != 0
    return np.frombuffer(content, np.dtype(storage.dtype).newbyteorder("<"))


def _widen_bfloat16(tensor: Array) -> Array:
    """Same sign, exponent and leading bits; float32 only adds zeros."""
    return (tensor.astype(np.uint32) << 16).view(np.float32)
