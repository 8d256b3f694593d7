import struct

import pytest
from fakes_checkpoints import ORDERED_DICT, mapping, number, tensor, text, voice_pickle
from fakes_hostile import hostile_pickles, hostile_tensors

from selftalk.export.checkpoint_pickle import (
    MAX_OPCODES,
    HParams,
    Ordered,
    Storage,
    TensorPlace,
    read_pickle,
)
from selftalk.stream.errors import CheckpointError


def read(opcodes: bytes) -> object:
    return read_pickle(memoryview(b"\x80\x02" + opcodes + b"."))


@pytest.mark.parametrize(
    ("opcodes", "value"),
    [
        (b"N", None),
        (b"\x88", True),
        (b"\x89", False),
        (b"K\xff", 255),
        (b"M\xff\xff", 65535),
        (b"J\xff\xff\xff\xff", -1),
        (b"\x8a\x00", 0),
        (b"\x8a\x05\x00\x00\x00\x00\x01", 1 << 32),
        (b"\x8a\x08" + b"\xff" * 8, -1),
        (b"G" + struct.pack(">d", 0.1), 0.1),
        (text("声 voice"), "声 voice"),
        (b"](K\x01K\x02e", [1, 2]),
        (b"]K\x01a", [1]),
        (b")", ()),
        (b"K\x01\x85", (1,)),
        (b"K\x01K\x02\x86", (1, 2)),
        (b"K\x01K\x02K\x03\x87", (1, 2, 3)),
        (b"(K\x01K\x02K\x03K\x04t", (1, 2, 3, 4)),
        (b"}K\x01Ns", {1: None}),
        (mapping({"a": b"N", "b": b"}"}), {"a": None, "b": {}}),
        (b"](K\x07q\x00h\x00j\x00\x00\x00\x00e", [7, 7, 7]),
    ],
)
def test_plain_values(opcodes, value):
    found = read(opcodes)
    assert found == value
    assert type(found) is type(value)


def test_tensor_is_a_place_in_a_storage():
    found = read(tensor([2, 3], key="12", elements=10, offset=4, strides=[3, 1]))
    assert found == TensorPlace(Storage("12", "float16", 10), 4, (2, 3), (3, 1))


def test_parameter_is_its_tensor():
    parameter = (
        b"ctorch._utils\n_rebuild_parameter\n" + tensor([1]) + b"\x88" + ORDERED_DICT + b"\x87R"
    )
    assert read(parameter) == read(tensor([1]))


def test_hparams_are_their_attributes():
    found = read(b"cutils\nHParams\n)\x81" + mapping({"a": number(1)}) + b"b")
    assert isinstance(found, HParams)
    assert found.attributes == {"a": 1}


def test_ordered_dict_keeps_its_items_and_forgets_its_attributes():
    items = b"(" + text("b") + b"N" + text("a") + b"Nu"
    found = read(ORDERED_DICT + items + mapping({"_metadata": b"}"}) + b"b")
    assert isinstance(found, Ordered)
    assert list(found) == ["b", "a"]


def test_as_many_opcodes_as_allowed_and_no_more():
    assert read(b"](" + b"N" * (MAX_OPCODES - 4) + b"e") == [None] * (MAX_OPCODES - 4)
    with pytest.raises(CheckpointError, match="more than"):
        read(b"](" + b"N" * (MAX_OPCODES - 3) + b"e")


@pytest.mark.parametrize(
    ("attack", "sentence"),
    [
        ("global posix.system", "asks for 'posix.system'"),
        ("global collections.OrderedDict.fromkeys", "asks for"),
        ("global torch.load", "asks for 'torch.load'"),
        ("system before everything", "asks for 'posix.system'"),
        ("stack global", "opcode 93"),
        ("instance", "opcode 69"),
        ("object", "asks for 'posix.system'"),
        ("extension code 1", "opcode 82"),
        ("opcode NEXT_BUFFER", "opcode 97"),
        ("opcode PERSID", "opcode 50"),
        ("written by pickle.dumps, protocol 5", "protocol 2"),
        ("written by pickle.dumps, protocol 2", "asks for 'posix.system'"),
        ("a second pickle after the first", "does not end"),
        ("number that desynchronises scanners", "opcode 49"),
        ("build __setstate__", "no voice needs"),
        ("call a text", "no voice needs"),
        ("memo slot far away", "in order"),
        ("text of 2 GiB", "too long"),
        ("number of 255 bytes", "64 bits"),
        ("marks without end", "too deeply"),
        ("a tuple as a key", "key"),
        ("no stop", "cut off"),
    ],
)
def test_the_refusal_says_what_is_wrong(attack, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        read_pickle(memoryview(hostile_pickles("/nonexistent/canary")[attack]))


@pytest.mark.parametrize(
    "attack",
    ["negative offset", "negative stride", "stride beyond the end", "expanded", "empty but giant"],
)
def test_windows_outside_their_storage_are_refused(attack):
    with pytest.raises(CheckpointError, match="tensor"):
        read_pickle(memoryview(hostile_tensors()[attack]))


def test_the_honest_voice_of_the_corpus_is_accepted():
    found = read_pickle(memoryview(voice_pickle()))
    assert isinstance(found, dict)
    assert list(found) == ["weight", "config", "info"]
