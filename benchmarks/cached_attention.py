"""Cached attention: one operator that writes its cache in place, against ordinary ones in buckets.

    python benchmarks/cached_attention.py [--layers 24] [--heads 16] [--width 32]

The attention of one step of a token decoder, without its matrix products; by default that of a
full-size GPT-SoVITS voice. *In place* is `GroupQueryAttention` over a cache that is bound as input
and as output, as imported voices use it. *Buckets* multiplies by every slot of a cache whose length
is rounded up to 128, under a mask; keys lie turned over, and numpy writes the new rows after the
step. They take turns; processor time of one step, the tenth of ten that is best. Needs
`selftalk[export]`.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from harness import publish
from onnx import ModelProto, NodeProto, TensorProto, helper

from selftalk.stream.graphs.onnx import open_session

FILLED = (120, 250, 380)
BUCKET = 128
STEPS, ROUNDS = 60, 5
Arrays = dict[str, npt.NDArray[Any]]
TYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}


def in_place(options: argparse.Namespace, filled: int) -> Callable[[], None]:
    """One step by one operator for each layer; what it writes is written where it lies."""
    slots = (options.heads, bucket_of(filled), options.width)
    cache = {f"{part}{i}": some(1, *slots) for i in layers(options) for part in ("keys", "values")}
    x, y = some(1, 1, options.heads * options.width), some(1, 1, options.heads * options.width)
    count = {"filled": np.full(1, filled, np.int32), "longest": np.full(1, filled + 1, np.int32)}
    nodes = []
    for i in layers(options):
        qkv, caches = [f"qkv{i}", "", ""], [f"keys{i}", f"values{i}"]
        made = [f"x{i + 1}", f"next_keys{i}", f"next_values{i}"]
        nodes += [
            helper.make_node("Concat", [f"x{i}"] * 3, qkv[:1], axis=2),
            helper.make_node(
                "GroupQueryAttention", [*qkv, *caches, "filled", "longest"], made,
                domain="com.microsoft", num_heads=options.heads, kv_num_heads=options.heads,
            ),
        ]  # fmt: skip
    written = {f"next_{name}": array for name, array in cache.items()}
    return bound(nodes, cache | count | {"x0": x}, written | {f"x{options.layers}": y})


def in_buckets(options: argparse.Namespace, filled: int) -> Callable[[], None]:
    """One step by ordinary operators, and the rows it leaves behind."""
    H, W, S = options.heads, options.width, bucket_of(filled)
    keys = {f"keys{i}": some(1, H, W, S) for i in layers(options)}
    values = {f"values{i}": some(1, H, S, W) for i in layers(options)}
    mask = np.where(np.arange(S + 1) < filled, 0, -1e9).astype(np.float32)
    mask[S] = 0  # the row of the step itself
    fixed: Arrays = {"mask": mask, "x0": some(1, H, 1, W)}
    nodes = []
    for i in layers(options):
        x, now = f"x{i}", f"now{i}"
        nodes += [
            helper.make_node("Transpose", [x], [now], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", [x, f"keys{i}"], [f"past{i}"]),
            helper.make_node("MatMul", [x, now], [f"own{i}"]),
            helper.make_node("Concat", [f"past{i}", f"own{i}"], [f"scores{i}"], axis=3),
            helper.make_node("Add", [f"scores{i}", "mask"], [f"masked{i}"]),
            helper.make_node("Softmax", [f"masked{i}"], [f"weights{i}"], axis=3),
            helper.make_node("Split", [f"weights{i}", "parts"], [f"w{i}", f"v{i}"], axis=3),
            helper.make_node("MatMul", [f"w{i}", f"values{i}"], [f"found{i}"]),
            helper.make_node("Mul", [f"v{i}", x], [f"self{i}"]),
            helper.make_node("Add", [f"found{i}", f"self{i}"], [f"x{i + 1}"]),
        ]
    nodes.insert(0, helper.make_node("Constant", [], ["parts"], value_ints=[S, 1]))
    rows = {f"x{i + 1}": some(1, H, 1, W) for i in layers(options)}
    run = bound(nodes, keys | values | fixed, rows)

    def step() -> None:
        run()
        for i in layers(options):
            keys[f"keys{i}"][..., filled] = rows[f"x{i + 1}"][:, :, 0]
            values[f"values{i}"][:, :, filled] = rows[f"x{i + 1}"][:, :, 0]

    return step


def bound(nodes: list[NodeProto], inputs: Arrays, outputs: Arrays) -> Callable[[], None]:
    """A graph that reads and writes where arrays lie."""
    binding = (session := open_session(model_of(nodes, inputs, outputs), 1)).io_binding()
    for arrays, bind in ((inputs, binding.bind_input), (outputs, binding.bind_output)):
        for name, array in arrays.items():
            bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    kept = inputs | outputs

    def step() -> None:
        assert kept, "arrays live as long as they are bound"
        session.run_with_iobinding(binding)

    return step


def model_of(nodes: list[NodeProto], inputs: Arrays, outputs: Arrays) -> bytes:
    """A graph of float32 and int32 ports."""
    ports = [
        [helper.make_tensor_value_info(name, TYPES[array.dtype.name], array.shape)
         for name, array in arrays.items()]
        for arrays in (inputs, outputs)
    ]  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    made: ModelProto = helper.make_model(
        helper.make_graph(nodes, "attention", *ports), opset_imports=opsets, ir_version=8
    )
    return bytes(made.SerializeToString())


def some(*shape: int) -> npt.NDArray[np.float32]:
    """Random numbers, small enough to be no trouble."""
    return 0.1 * np.random.default_rng(0).standard_normal(shape, np.float32)


def layers(options: argparse.Namespace) -> range:
    """Their indices."""
    return range(options.layers)


def bucket_of(filled: int) -> int:
    """The slots of a cache in which one more fits."""
    return -(-(filled + 1) // BUCKET) * BUCKET


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--heads", type=int, default=16)
    parser.add_argument("--width", type=int, default=32, help="of a head")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(save=None)
    options = parser.parse_args()
    told = {}
    for filled in FILLED:
        ways = {"in place": in_place(options, filled), "buckets": in_buckets(options, filled)}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, step in ways.items():
                for _ in range(STEPS):
                    started = time.thread_time()
                    step()
                    times[name].append(1000 * (time.thread_time() - started))
        told[f"{filled} slots filled"] = {
            name: round(float(np.quantile(each, 0.1)), 3) for name, each in times.items()
        }
    publish(options, "cached attention", "ms of processor time for the attention of a step", told)


if __name__ == "__main__":
    main()
