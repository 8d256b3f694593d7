"""From a torch module with explicit state to an ONNX graph with named ports.

One call of `torch.onnx.export`, then the ports get the names the runtime looks for: state goes in
as `state.X` and comes out as `next_state.X`. Knows nothing about particular models.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

OPSET = 18


@dataclass(frozen=True)
class GraphSource:
    """A module, example inputs, and what its ports are called."""

    module: nn.Module
    inputs: tuple[Any, ...]
    """Example inputs; tuples and NamedTuples of tensors are states."""
    input_names: Sequence[str]
    """One for each tensor of the flattened inputs."""
    output_names: Sequence[str]
    """One for each tensor of the flattened outputs."""
    dynamic: dict[str, tuple[int, ...]]
    """Which dimensions of which inputs vary; all others are fixed."""


def export_graph(source: GraphSource) -> onnx.ModelProto:
    """Trace a module and name its ports.

    Raises:
        ValueError: the names do not fit the tensors that go in and out.
    """
    leaves, structure = pytree.tree_flatten(source.inputs)
    if len(leaves) != len(source.input_names):
        raise ValueError(f"{len(leaves)} inputs but {len(source.input_names)} names")
    varying = [
        dict.fromkeys(source.dynamic.get(name, ()), torch.export.Dim.AUTO)
        for name in source.input_names
    ]
    shapes = pytree.tree_unflatten(varying, structure)
    model = _trace(source.module.eval(), source.inputs, shapes)
    graph_inputs = [port.name for port in model.graph.input]
    if len(graph_inputs) != len(leaves):
        raise ValueError(f"the graph uses only {graph_inputs} of {list(source.input_names)}")
    if len(model.graph.output) != len(source.output_names):
        raise ValueError(f"{len(model.graph.output)} outputs, names {list(source.output_names)}")
    rename_ports(model, source.input_names, source.output_names)
    onnx.checker.check_model(model)
    return model


def _trace(module: nn.Module, inputs: tuple[Any, ...], shapes: Any) -> onnx.ModelProto:
    quiet = logging.getLogger("torch.onnx")
    level, chatter = quiet.level, io.StringIO()
    quiet.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(chatter), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module, inputs, dynamo=True, dynamic_shapes=shapes, opset_version=OPSET,
                verbose=False,
            )  # fmt: skip
    finally:
        quiet.setLevel(level)
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def rename_ports(
    model: onnx.ModelProto, input_names: Sequence[str], output_names: Sequence[str]
) -> None:
    """Give inputs and outputs new names, wherever in the graph they are used."""
    graph = model.graph
    names = {port.name: name for port, name in zip(graph.input, input_names, strict=True)}
    # An output that is an input, or another output, passed through needs a node of its own.
    for port, name in zip(graph.output, output_names, strict=True):
        if port.name in names:
            graph.node.append(onnx.helper.make_node("Identity", [names[port.name]], [name]))
        else:
            names[port.name] = name
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)
        for index, name in enumerate(node.output):
            node.output[index] = names.get(name, name)
    for port, name in zip(graph.input, input_names, strict=True):
        port.name = name
    for port, name in zip(graph.output, output_names, strict=True):
        port.name = name
    del graph.value_info[:]  # shapes under the old names would contradict the new ones


def state_names(state: Any, prefix: str) -> list[str]:
    """Names for the tensors of a state: `prefix` and the path to each, joined by dots."""
    paths = pytree.tree_flatten_with_path(state)[0]
    return [".".join([prefix, *(_key(part) for part in path)]) for path, _ in paths]


def _key(part: Any) -> str:
    return str(getattr(part, "name", getattr(part, "idx", part)))


def state_shapes(state: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of a state's tensors by name, without any prefix."""
    leaves = pytree.tree_flatten(state)[0]
    assert all(isinstance(leaf, Tensor) for leaf in leaves), state
    names = [name.removeprefix("state.") for name in state_names(state, "state")]
    return {name: tuple(leaf.shape) for name, leaf in zip(names, leaves, strict=True)}


def save_graph(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph in one file; the same model gives the same bytes.

    The exporter's notes on where each node comes from are left out: they are larger than a small
    network and name the files of the machine it was exported on.
    """
    for described in (model, model.graph, *model.graph.node, *model.graph.initializer):
        del described.metadata_props[:]
        described.doc_string = ""
    path.write_bytes(model.SerializeToString(deterministic=True))
