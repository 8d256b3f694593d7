"""Smaller graphs: matrix products with 8-bit weights, or weights kept in half precision.

With 8 bits weights are rounded once, per channel, and activations at run time, all that are in one
call by the same scale: so what a graph says of a frame depends a little on the frames beside it.
A graph that is to say the same in chunks as at once keeps its weights in half precision instead
and computes in float, or rounds by scales that were found beforehand, on examples. The latter is
for the wide convolutions of an imported vocoder. The convolutions of nano stay in float: they are
depthwise, a hundredth of the work, and suffer most from rounding.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.matmul_nbits_quantizer import (
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)
from onnxruntime.transformers.float16 import convert_float_to_float16

Feed = dict[str, npt.NDArray[np.generic]]
"""Inputs of a graph by name."""

NBITS_BLOCK = 128
"""Weights that share a scale: 64 cost a fifth more time, and their error is 1 dB smaller."""
INT8_ACTIVATIONS = 4
"""The accuracy level at which 8-bit weights meet 8-bit activations; others are far slower."""

NBITS_BIAS = 5
"""Which input of such a product its bias is."""

SMALL_TENSOR_VALUES = 1024
"""Biases and scales are not worth a rounding error."""

HALF, BYTES, SCALE = ".half", ".int8", ".scale"
"""Endings of the names under which a graph keeps narrow weights."""
QUANTIZED, QUANTIZED_SCALE, QUANTIZED_ZERO = "_quantized", "_scale", "_zero_point"
QUANTIZED_TURNED = "_Transposed"
"""Endings that onnxruntime's quantization gives names."""
LARGEST_BYTE = 127


def to_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Quantize the matrix products of a graph.

    Seven of the eight bits are used: processors without VNNI instructions add pairs of products
    in 16 bits, which eight would overflow.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
        return onnx.load(target)


class Examples(CalibrationDataReader):  # type: ignore[misc]
    """Inputs on which the ranges of values are found."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feed | None:
        """The next inputs, None after the last."""
        return next(self._feeds, None)


def to_static_int8(
    model: onnx.ModelProto, feeds: Iterable[Feed], convolutions: Callable[[onnx.NodeProto], bool]
) -> onnx.ModelProto:
    """Quantize convolutions by scales that are fixed: what is said of a frame is said of it always.

    Args:
        model: a graph.
        feeds: inputs like those it will have; their ranges become the scales.
        convolutions: which ones.
    """
    others = [node.name for node in model.graph.node if not convolutions(node)]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            Examples(feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=others,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(target)


def to_half_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep large weights in 16 bits; the runtime widens them once, when it opens the graph."""
    return _narrowed(model, _half)


def to_byte_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep large weights in 8 bits with a scale for each channel; the runtime widens them once.

    Nothing else is rounded, so a frame does not depend on its company.
    """
    return _narrowed(model, _bytes)


Narrow = Callable[
    [str, npt.NDArray[np.float32]], tuple[dict[str, npt.NDArray[np.generic]], list[onnx.NodeProto]]
]
"""A weight → the tensors that stand for it, and the nodes that make it of them."""


def _narrowed(model: onnx.ModelProto, narrow: Narrow) -> onnx.ModelProto:
    small = onnx.ModelProto()
    small.CopyFrom(model)
    graph = small.graph
    kept, widening = [], []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        small_tensor = values.size < SMALL_TENSOR_VALUES or weight.name.endswith(QUANTIZED_SCALE)
        if values.dtype != np.float32 or small_tensor:
            kept.append(weight)
            continue
        tensors, nodes = narrow(weight.name, values)
        kept += [onnx.numpy_helper.from_array(value, name) for name, value in tensors.items()]
        widening += nodes
    nodes = [*widening, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return small


def _half(
    name: str, values: npt.NDArray[np.float32]
) -> tuple[dict[str, npt.NDArray[np.generic]], list[onnx.NodeProto]]:
    half = f"{name}{HALF}"
    return {half: values.astype(np.float16)}, [_to_float(half, name)]


def _bytes(
    name: str, values: npt.NDArray[np.float32]
) -> tuple[dict[str, npt.NDArray[np.generic]], list[onnx.NodeProto]]:
    byte, scale, wide = f"{name}{BYTES}", f"{name}{SCALE}", f"{name}.wide"
    rounded, scales = min(
        (_rounded(values, axis) for axis in range(values.ndim)),
        key=lambda pair: float(np.square(pair[0] * pair[1] - values).sum()),
    )
    product = onnx.helper.make_node("Mul", [wide, scale], [name])
    return {byte: rounded, scale: scales}, [_to_float(byte, wide), product]


def _rounded(
    values: npt.NDArray[np.float32], axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Eight bits and the scale of each channel along an axis."""
    others = tuple(other for other in range(values.ndim) if other != axis)
    scales = np.abs(values).max(axis=others, keepdims=True) / np.float32(LARGEST_BYTE)
    scales[scales == 0] = 1
    return np.round(values / scales).astype(np.int8), scales.astype(np.float32)


def _to_float(source: str, target: str) -> onnx.NodeProto:
    return onnx.helper.make_node("Cast", [source], [target], to=onnx.TensorProto.FLOAT)


def to_nbits8(model: onnx.ModelProto, excluded: tuple[str, ...] = ()) -> onnx.ModelProto:
    """Quantize matrix products for one row at a time: weights in blocks, each with a scale.

    Args:
        model: a graph; it is changed.
        excluded: names of nodes that stay as they are.
    """
    config = DefaultWeightOnlyQuantConfig(
        block_size=NBITS_BLOCK, is_symmetric=True, accuracy_level=INT8_ACTIVATIONS, bits=8
    )
    quantizer = MatMulNBitsQuantizer(model, algo_config=config, nodes_to_exclude=list(excluded))
    quantizer.process()
    quantized: onnx.ModelProto = quantizer.model.model
    _join_biases(quantized.graph)
    return quantized


def _join_biases(graph: onnx.GraphProto) -> None:
    """Give every product with 8-bit weights the bias that is added to it: a node less to run."""
    vectors = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 1}
    products = {node.output[0]: node for node in graph.node if node.op_type == "MatMulNBits"}
    readers = Counter(name for node in graph.node for name in node.input)
    for added in [node for node in graph.node if node.op_type == "Add"]:
        bias, product = sorted(added.input, key=lambda name: name in products)
        if bias in vectors and product in products and readers[product] == 1:
            node = products[product]
            node.input.extend([""] * (NBITS_BIAS - len(node.input)) + [bias])
            node.output[0] = added.output[0]
            graph.node.remove(added)


def to_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Halve the weights and compute in half precision, for GPUs; the ports stay float32."""
    halved: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
    return halved
