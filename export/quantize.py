"""Smaller graphs: matrix products with 8-bit weights.

Weights are rounded once, per channel; activations at run time. Convolutions stay in float: they
are depthwise here, a hundredth of the work, and suffer most from rounding.
"""

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic


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
