"""GE2E: the speaker encoder's published checkpoint as one ONNX graph of 5.7 MB.

    python -m selftalk.export.ge2e pretrained.pt ge2e.onnx

Done once, so that cloning a voice needs no torch. Knows nothing about audio: the mel windows
are computed by `selftalk.stream.synthesis.speaker`.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import ModelProto, numpy_helper

from selftalk.models.ge2e import EMBEDDING_SIZE, LAYERS, MEL_BANDS, Ge2e
from selftalk.stream.errors import BundleError
from selftalk.stream.sound.audio import write_atomically
from selftalk.stream.synthesis.speaker import WINDOW_FRAMES

GATES, TORCH_GATES = "iofc", "ifco"  # the order of an LSTM's gates in ONNX and in torch


def load(checkpoint: Path) -> Ge2e:
    """Read the published checkpoint; only tensors are unpickled."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = Ge2e()
    # The checkpoint also holds two scalars of the training loss.
    state = {key: value for key, value in content["model_state"].items() if "." in key}
    model.load_state_dict(state)
    return model.eval()


def export(model: Ge2e, target: Path) -> None:
    """Write the graph: windows (B, 160, 40) → embeddings (B, 256)."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "ge2e.onnx"
        torch.onnx.export(
            model,
            (torch.zeros(2, WINDOW_FRAMES, MEL_BANDS),),
            written,
            input_names=["windows"],
            output_names=["embeddings"],
            dynamic_shapes={"windows": {0: torch.export.Dim("windows")}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        write_atomically(target, written.read_bytes())


def from_graph(path: Path) -> Ge2e:
    """The module that a graph was made of: what a bundle holds can be learnt with, too.

    Raises:
        BundleError: it is a graph of something else.
    """
    model = Ge2e()
    try:
        model.load_state_dict(_weights(onnx.load(path)))
    except (KeyError, ValueError, RuntimeError) as error:
        raise BundleError(f"'{path}' does not hold the speaker encoder GE2E") from error
    return model.eval()


def _weights(graph: ModelProto) -> dict[str, torch.Tensor]:
    """Matrices keep their names in the graph; the biases lie in one row for each layer."""
    held = {each.name: numpy_helper.to_array(each) for each in graph.graph.initializer}
    weights = {name: value for name, value in held.items() if name.startswith(("lstm.", "linear."))}
    layers = [node for node in graph.graph.node if node.op_type == "LSTM"]
    for layer, node in zip(range(LAYERS), layers, strict=True):
        both = held[node.input[3]].reshape(2, len(GATES), EMBEDDING_SIZE)
        for name, biases in zip(("bias_ih", "bias_hh"), both, strict=True):
            ordered = [biases[GATES.index(gate)] for gate in TORCH_GATES]
            weights[f"lstm.{name}_l{layer}"] = np.concatenate(ordered)
    return {name: torch.from_numpy(value.copy()) for name, value in weights.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="ge2e", description="export the speaker encoder")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args(arguments)
    export(load(options.checkpoint), options.target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
