"""The weights in a graph, as parameters of the module it was made of: a bundle is a checkpoint too.

    python -m selftalk.export.graph_weights vocoder.onnx vocoder.safetensors

What training begins with and what speaks are the same numbers, so they are kept once. Tracing
gives a weight the name of its parameter, unless it had to turn it round; `name_weights` names those
as well. Narrow weights (see quantize.py) keep the name and add how they are written down; those of
onnxruntime's quantization add `_quantized`, and their scales and zeros stand beside them.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from safetensors.numpy import save_file

from selftalk.export.quantize import (
    BYTES,
    HALF,
    QUANTIZED,
    QUANTIZED_SCALE,
    QUANTIZED_TURNED,
    QUANTIZED_ZERO,
    SCALE,
)
from selftalk.stream.errors import BundleError

Weights = dict[str, npt.NDArray[np.float32]]
TURNED = ".T"


def name_weights(model: onnx.ModelProto, parameters: Mapping[str, npt.NDArray[np.float32]]) -> None:
    """Give weights that are transposed parameters the names of these, and `.T`.

    Args:
        model: a traced graph; it is changed.
        parameters: of the module it was made of.
    """
    held = {tensor.name for tensor in model.graph.initializer}
    unheld = {name: value for name, value in parameters.items() if name not in held}
    renamed = {}
    for tensor in model.graph.initializer:
        if tensor.name in parameters or len(tensor.dims) != 2:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        for name, parameter in unheld.items():
            if parameter.shape == values.shape[::-1] and np.array_equal(parameter.T, values):
                renamed[tensor.name] = tensor.name = f"{name}{TURNED}"
                del unheld[name]
                break
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)


def weights_of_graph(path: Path) -> Weights:
    """Everything constant in a graph, under the names of parameters.

    Raises:
        BundleError: the file is no graph.
    """
    try:
        graph = onnx.load(path).graph
    except (OSError, DecodeError) as error:
        raise BundleError(f"'{path}' is not a graph: {error}") from error
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    told_by_others = (SCALE, QUANTIZED_SCALE, QUANTIZED_ZERO)
    return dict(_widened(name, tensors) for name in tensors if not name.endswith(told_by_others))


def main(arguments: list[str]) -> int:
    """Write the weights of a graph into a file that training can begin with."""
    if len(arguments) != 2:
        sys.stderr.write("graph_weights needs a graph and the file to write: GRAPH.onnx OUT\n")
        return 2
    try:
        weights = weights_of_graph(Path(arguments[0]))
    except BundleError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, arguments[1])
    return 0


def _widened(
    name: str, tensors: Mapping[str, npt.NDArray[np.generic]]
) -> tuple[str, npt.NDArray[np.float32]]:
    values = tensors[name].astype(np.float32)
    if name.endswith(BYTES):
        name = name.removesuffix(BYTES)
        values = values * tensors[f"{name}{SCALE}"].astype(np.float32)
    if name.endswith(QUANTIZED):
        name = name.removesuffix(QUANTIZED)
        zero = tensors[f"{name}{QUANTIZED_ZERO}"].astype(np.float32)
        values = (values - zero) * tensors[f"{name}{QUANTIZED_SCALE}"].astype(np.float32)
    name = name.removesuffix(HALF)
    turned = next((ending for ending in (TURNED, QUANTIZED_TURNED) if name.endswith(ending)), "")
    return (name.removesuffix(turned), values.T) if turned else (name, values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
