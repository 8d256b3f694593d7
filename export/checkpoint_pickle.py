"""The pickle of a checkpoint as an inert description: dicts, lists, numbers, text, tensor places.

Knows nothing about ZIP, numpy or models. This is an interpreter of our own and not a locked-down
`pickle.Unpickler`, for three reasons. The library's machine calls whatever object the stream put
on its stack (REDUCE, BUILD with `__setstate__`, OBJ, INST), so its safety rests on `find_class`
never returning anything useful; its C version resolves extension codes from a cache that
`find_class` does not see; and it allocates by numbers in the file (memo slots, string lengths).
Here a global is a member of an enumeration, no opcode imports, calls, or sets attributes, and a
stream is at most a linear program over 30 opcodes, all those that protocol 2 uses for
checkpoints: opcodes for instances, extensions, buffers, frames, text pickles and raw bytes do not
exist. What is built is plain dicts, lists and the four small classes below.
"""

import enum
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from selftalk.export.checkpoint_zip import quoted
from selftalk.stream.errors import CheckpointError

MAX_PICKLE_BYTES = 2 << 20
"""A v2Pro voice has 64 KiB, its training state under 400 KiB."""
MAX_OPCODES = 200_000
"""A v2Pro voice has 16,000; this keeps the worst file under a second."""
MAX_TEXT_BYTES = 64 << 10
MAX_OPEN_MARKS = 64
MAX_DIMENSIONS = 8
MAX_SIZE = 1 << 31
"""Of one dimension or stride, in elements."""

DTYPES: Mapping[str, str] = {
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "ShortStorage": "int16",
    "IntStorage": "int32",
    "LongStorage": "int64",
    "BoolStorage": "bool",
}
"""Every tensor type that is read, by the name of its storage class."""


class Global(enum.Enum):
    """The only names outside storages that a checkpoint may mention."""

    ORDERED_DICT = ("collections", "OrderedDict")
    REBUILD_TENSOR = ("torch._utils", "_rebuild_tensor_v2")
    REBUILD_PARAMETER = ("torch._utils", "_rebuild_parameter")
    HPARAMS = ("utils", "HParams")


@dataclass(frozen=True, slots=True)
class StorageType:
    """A storage class that was named, such as `torch.HalfStorage`."""

    dtype: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers in the archive's entry `data/{key}`."""

    key: str
    dtype: str
    elements: int


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """A tensor as a strided window into a storage; all counts are in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Ordered(dict[object, object]):
    """An `OrderedDict`; its attributes (module versions) are not kept."""


@dataclass(slots=True)
class HParams:
    """A `utils.HParams` object: nothing but its attributes."""

    attributes: dict[object, object] = field(default_factory=dict)


_GLOBALS: Mapping[tuple[str, str], Global | StorageType] = {
    **{member.value: member for member in Global},
    **{("torch", name): StorageType(dtype) for name, dtype in DTYPES.items()},
}


def read_pickle(stream: memoryview) -> object:
    """Interpret a protocol-2 pickle as `torch.save` writes it.

    Args:
        stream: the bytes of `data.pkl`.

    Returns:
        Nested dicts (also Ordered, HParams), lists, tuples, TensorPlaces and scalars. They may be
        shared or even contain themselves, so walk them with a bound.

    Raises:
        CheckpointError: the stream uses anything outside that.
    """
    if len(stream) > MAX_PICKLE_BYTES:
        raise CheckpointError(
            f"the checkpoint's pickle is larger than {MAX_PICKLE_BYTES >> 20} MiB"
        )
    return _Machine(bytes(stream)).run()


class _Machine:
    """One run over one stream."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._at = 0
        self._stack: list[object] = []
        self._below: list[list[object]] = []
        self._memo: list[object] = []

    def run(self) -> object:
        if self._take(2) != b"\x80\x02":
            raise CheckpointError("the checkpoint's pickle is not of protocol 2")
        for _ in range(MAX_OPCODES):
            code = self._take(1)
            if code == b".":
                return self._result()
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise CheckpointError(
                    f"the checkpoint's pickle has the opcode {code.hex()} at byte {self._at - 1}, "
                    "which torch.save never writes"
                )
            operation(self)
        raise CheckpointError(f"the checkpoint's pickle has more than {MAX_OPCODES} opcodes")

    def _result(self) -> object:
        if len(self._stack) != 1 or self._below or self._at != len(self._stream):
            raise CheckpointError("the checkpoint's pickle does not end where it stops")
        return self._stack[0]

    # Reading

    def _take(self, length: int) -> bytes:
        taken = self._stream[self._at : self._at + length]
        if len(taken) != length:
            raise CheckpointError("the checkpoint's pickle is cut off")
        self._at += length
        return taken

    def _number(self, layout: str) -> int:
        number: int = struct.unpack(layout, self._take(struct.calcsize(layout)))[0]
        return number

    def _line(self) -> str:
        end = self._stream.find(b"\n", self._at, self._at + 128)
        if end < 0:
            raise CheckpointError("the checkpoint's pickle has a name that is too long or cut off")
        line = self._take(end - self._at).decode("latin-1")
        self._at += 1
        return line

    # Stack

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _pop(self) -> object:
        if not self._stack:
            raise _unbalanced()
        return self._stack.pop()

    def _top(self) -> object:
        if not self._stack:
            raise _unbalanced()
        return self._stack[-1]

    def _pop_to_mark(self) -> list[object]:
        if not self._below:
            raise _unbalanced()
        values, self._stack = self._stack, self._below.pop()
        return values

    def mark(self) -> None:
        if len(self._below) == MAX_OPEN_MARKS:
            raise CheckpointError("the checkpoint's pickle is nested too deeply")
        self._below.append(self._stack)
        self._stack = []

    # Scalars and text

    def text(self) -> None:
        length = self._number("<I")
        if length > MAX_TEXT_BYTES:
            raise CheckpointError("the checkpoint's pickle has a text that is too long")
        try:
            self._push(self._take(length).decode("utf-8"))
        except UnicodeDecodeError:
            raise CheckpointError("the checkpoint's pickle has a text that is not UTF-8") from None

    def long(self) -> None:
        length = self._number("<B")
        if length > 8:
            raise CheckpointError("the checkpoint's pickle has a number of more than 64 bits")
        self._push(int.from_bytes(self._take(length), "little", signed=True))

    def float64(self) -> None:
        self._push(struct.unpack(">d", self._take(8))[0])

    # Containers

    def tuple_to_mark(self) -> None:
        self._push(tuple(self._pop_to_mark()))

    def tuple_of(self, length: int) -> None:
        values = [self._pop() for _ in range(length)]
        self._push(tuple(reversed(values)))

    def append(self) -> None:
        self._extend([self._pop()])

    def appends(self) -> None:
        self._extend(self._pop_to_mark())

    def _extend(self, values: list[object]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise CheckpointError("the checkpoint's pickle appends to something that is no list")
        target.extend(values)

    def set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._update([key, value])

    def set_items(self) -> None:
        self._update(self._pop_to_mark())

    def _update(self, flat: list[object]) -> None:
        target = self._top()
        if not isinstance(target, dict) or len(flat) % 2:
            raise CheckpointError("the checkpoint's pickle sets items of something that is no dict")
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            # Text and 64-bit numbers have no crafted hash collisions, and no hash of their own.
            if not isinstance(key, str | int):
                raise CheckpointError("the checkpoint's pickle has a key that is no text")
            target[key] = value

    # Memo

    def put(self, layout: str) -> None:
        if self._number(layout) != len(self._memo):  # torch.save counts up from 0
            raise CheckpointError("the checkpoint's pickle does not number its values in order")
        self._memo.append(self._top())

    def get(self, layout: str) -> None:
        slot = self._number(layout)
        if slot >= len(self._memo):
            raise CheckpointError("the checkpoint's pickle repeats a value it never had")
        self._push(self._memo[slot])

    # What a pickle would import and call

    def find_global(self) -> None:
        module, name = self._line(), self._line()
        found = _GLOBALS.get((module, name))
        if found is None:
            raise CheckpointError(
                f"the checkpoint's pickle asks for {quoted(f'{module}.{name}')}, "
                "which no voice needs, so it may be an attack"
            )
        self._push(found)

    def persistent(self) -> None:
        self._push(_storage(self._pop()))

    def reduce(self) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(arguments, tuple):
            raise _misuse()
        if function is Global.ORDERED_DICT and not arguments:
            self._push(Ordered())
        elif function is Global.REBUILD_TENSOR:
            self._push(_tensor(arguments))
        elif function is Global.REBUILD_PARAMETER and len(arguments) == 3:
            if not isinstance(arguments[0], TensorPlace):
                raise _misuse()
            self._push(arguments[0])
        else:
            raise _misuse()

    def new_object(self) -> None:
        arguments, cls = self._pop(), self._pop()
        if cls is not Global.HPARAMS or not isinstance(arguments, tuple) or arguments:
            raise _misuse()
        self._push(HParams())

    def build(self) -> None:
        state, target = self._pop(), self._top()
        if not isinstance(state, dict):
            raise _misuse()
        if isinstance(target, HParams):
            target.attributes = state  # shared, not copied: copies of copies would grow at will
        elif not isinstance(target, Ordered):
            raise _misuse()


def _storage(place: object) -> Storage:
    match place:
        case ("storage", StorageType(dtype), str(key), str(), int(elements)) if elements >= 0:
            return Storage(key, dtype, elements)
    raise CheckpointError("the checkpoint's pickle names a tensor storage in an unknown way")


def _tensor(arguments: tuple[object, ...]) -> TensorPlace:
    match arguments:
        case (Storage() as storage, int(offset), tuple(shape), tuple(strides), bool(), Ordered()):
            pass
        case _:
            raise CheckpointError("the checkpoint's pickle describes a tensor in an unknown way")
    if not 0 <= len(shape) == len(strides) <= MAX_DIMENSIONS:
        raise CheckpointError("the checkpoint has a tensor of impossible shape")
    sizes = tuple(n for n in shape if isinstance(n, int) and 0 <= n <= MAX_SIZE)
    steps = tuple(n for n in strides if isinstance(n, int) and 0 <= n <= MAX_SIZE)
    if len(sizes) != len(shape) or len(steps) != len(strides) or offset < 0:
        raise CheckpointError("the checkpoint has a tensor of impossible shape")
    _check_window(storage, offset, sizes, steps)
    return TensorPlace(storage, offset, sizes, steps)


def _check_window(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    """A tensor lies within its storage and is not larger than it (a repeated view would be)."""
    elements = math.prod(shape)
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if elements > storage.elements or offset > storage.elements:
        raise CheckpointError("the checkpoint has a tensor larger than its storage")
    if elements and last >= storage.elements:
        raise CheckpointError("the checkpoint has a tensor that reaches outside its storage")


def _unbalanced() -> CheckpointError:
    return CheckpointError("the checkpoint's pickle takes values it never had")


def _misuse() -> CheckpointError:
    return CheckpointError("the checkpoint's pickle builds an object that no voice needs")


_OPERATIONS: Mapping[bytes, Callable[[_Machine], None]] = {
    b"(": _Machine.mark,
    b"X": _Machine.text,
    b"K": lambda machine: machine._push(machine._number("<B")),
    b"M": lambda machine: machine._push(machine._number("<H")),
    b"J": lambda machine: machine._push(machine._number("<i")),
    b"\x8a": _Machine.long,
    b"G": _Machine.float64,
    b"N": lambda machine: machine._push(None),
    b"\x88": lambda machine: machine._push(True),
    b"\x89": lambda machine: machine._push(False),
    b"]": lambda machine: machine._push([]),
    b"a": _Machine.append,
    b"e": _Machine.appends,
    b"}": lambda machine: machine._push({}),
    b"s": _Machine.set_item,
    b"u": _Machine.set_items,
    b")": lambda machine: machine._push(()),
    b"t": _Machine.tuple_to_mark,
    b"\x85": lambda machine: machine.tuple_of(1),
    b"\x86": lambda machine: machine.tuple_of(2),
    b"\x87": lambda machine: machine.tuple_of(3),
    b"q": lambda machine: machine.put("<B"),
    b"r": lambda machine: machine.put("<I"),
    b"h": lambda machine: machine.get("<B"),
    b"j": lambda machine: machine.get("<I"),
    b"c": _Machine.find_global,
    b"Q": _Machine.persistent,
    b"R": _Machine.reduce,
    b"\x81": _Machine.new_object,
    b"b": _Machine.build,
}
