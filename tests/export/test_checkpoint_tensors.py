import numpy as np
import pytest

from selftalk.export.checkpoint_pickle import DTYPES, Storage, TensorPlace
from selftalk.export.checkpoint_tensors import read_tensors
from selftalk.stream.errors import CheckpointError

NUMBERS = np.arange(24)


def entries(values: np.ndarray) -> dict[str, memoryview]:
    return {"data/0": memoryview(values.tobytes())}


def place(dtype, shape, strides, offset=0, elements=24):
    return TensorPlace(Storage("0", dtype, elements), offset, shape, strides)


def read(tensor, values):
    return read_tensors({"a": tensor}, entries(values))["a"]


@pytest.mark.parametrize("dtype", sorted(set(DTYPES.values()) - {"bfloat16"}))
def test_every_type_keeps_its_bits(dtype):
    values = (NUMBERS % 2 if dtype == "bool" else NUMBERS).astype(dtype)
    found = read(place(dtype, (4, 6), (6, 1)), values)
    assert found.dtype == values.dtype
    assert found.tobytes() == values.tobytes()
    assert found.shape == (4, 6)


@pytest.mark.parametrize(
    ("shape", "strides", "offset", "expected"),
    [
        ((6, 4), (1, 6), 0, NUMBERS.reshape(4, 6).T),
        ((2, 3), (12, 4), 1, NUMBERS[1:].reshape(-1)[[0, 4, 8, 12, 16, 20]].reshape(2, 3)),
        ((), (), 7, np.array(7)),
        ((1,), (1,), 23, NUMBERS[23:]),
        ((0, 5), (5, 1), 0, np.zeros((0, 5))),
    ],
)
def test_windows_become_contiguous(shape, strides, offset, expected):
    found = read(place("float32", shape, strides, offset), NUMBERS.astype(np.float32))
    np.testing.assert_array_equal(found, expected)
    assert found.shape == shape
    assert found.flags.c_contiguous


def test_bfloat16_becomes_the_float32_of_the_same_value():
    halves = np.array([0x0000, 0x8000, 0x3F80, 0xC020, 0x7F80, 0x0001], np.uint16)
    exact = np.array([0.0, -0.0, 1.0, -2.5, np.inf, 2.0**-133], np.float32)
    found = read(place("bfloat16", (6,), (1,), elements=6), halves)
    assert found.dtype == np.float32
    assert found.tobytes() == exact.tobytes()


def test_a_truth_value_is_0_or_1_whatever_the_byte():
    found = read(place("bool", (3,), (1,), elements=3), np.array([0, 1, 255], np.uint8))
    assert found.tobytes() == b"\x00\x01\x01"


def test_tied_tensors_share_a_storage():
    tensor = place("float16", (24,), (1,))
    found = read_tensors({"a": tensor, "b": tensor}, entries(NUMBERS.astype(np.float16)))
    np.testing.assert_array_equal(found["a"], found["b"])


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({"a": place("float32", (24,), (1,), elements=25)}, "cut off"),
        ({"a": TensorPlace(Storage("1", "float32", 24), 0, (24,), (1,))}, "lacks the data"),
        ({str(n): place("float32", (24,), (1,)) for n in range(5)}, "over 4 times"),
    ],
)
def test_storages_that_do_not_fit_are_refused(tensors, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        read_tensors(tensors, entries(NUMBERS.astype(np.float32)))
