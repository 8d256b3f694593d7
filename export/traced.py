"""Large modules → ONNX graphs in seconds: by running them once and writing down what they did.

`onnx.export_graph` understands a module symbolically, which takes minutes for the many layers of
GPT-SoVITS. A trace is as exact where a module has no branches on values, and ours have none.
Knows nothing about particular models.
"""

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from torch.utils import _pytree as pytree

from selftalk.export.onnx import OPSET, GraphSource

LARGE_BYTES = 1024


def trace_graph(source: GraphSource) -> onnx.ModelProto:
    """Trace a module whose inputs are plain tensors.

    Raises:
        ValueError: the names do not fit the tensors that go in and out.
    """
    leaves, _ = pytree.tree_flatten(source.inputs)
    if len(leaves) != len(source.input_names):
        raise ValueError(f"{len(leaves)} inputs but {len(source.input_names)} names")
    axes = {
        name: {axis: f"{name}_{axis}" for axis in dimensions}
        for name, dimensions in source.dynamic.items()
    }
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            source.module.eval(),
            source.inputs,
            Path(folder) / "traced.onnx",
            input_names=list(source.input_names),
            output_names=list(source.output_names),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(Path(folder) / "traced.onnx")
    if [port.name for port in model.graph.input] != list(source.input_names):
        used = [port.name for port in model.graph.input]
        raise ValueError(f"the graph uses only {used} of {list(source.input_names)}")
    if [port.name for port in model.graph.output] != list(source.output_names):
        found = [port.name for port in model.graph.output]
        raise ValueError(f"the graph gives {found}, not {list(source.output_names)}")
    del model.graph.value_info[:]  # shapes of the example
    _store_constants(model.graph)
    _name_equals_alike(model.graph)
    return model


def _name_equals_alike(graph: onnx.GraphProto) -> None:
    """Read equal tensors, of which the trace keeps one, where they are kept.

    It gives the others by nodes that copy, and what such a node gives nothing takes for a weight.
    """
    stored = {tensor.name for tensor in graph.initializer}
    needed = {port.name for port in graph.output}
    copies = [
        node
        for node in graph.node
        if node.op_type == "Identity" and node.input[0] in stored and node.output[0] not in needed
    ]
    kept = {node.output[0]: node.input[0] for node in copies}
    for node in copies:
        graph.node.remove(node)
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = kept.get(name, name)


def _store_constants(graph: onnx.GraphProto) -> None:
    """Keep large constants, such as a table of positions, where all other tensors are kept."""
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        tensor = node.attribute[0].t
        if len(tensor.raw_data) >= LARGE_BYTES:
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
            graph.node.remove(node)
