"""Perth: the published watermark networks as two small ONNX graphs.

    python -m selftalk.export.perth perth_net_250000.pth.tar configs/watermark

Done once, so that neither marking nor detecting needs torch. Two things are changed on the way.
The encoder loses the taps that look ahead: it marks speech that has no future yet, and
the decoder was measured to read that as well. Weights are rounded to int8, channel by channel, and
made float again when a graph is opened. Knows nothing about audio: spectra are computed by
`selftalk.stream.trust.watermark`.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from selftalk.stream.sound.audio import write_atomically
from selftalk.stream.trust.watermark import BANDS, BRANCHES, DECODER, ENCODER

HIDDEN = 256
TAPS, PAST_TAPS = 7, 4
DEEP_LAYERS = 5
LARGEST_INT8 = 127


class Stack(nn.Module):
    """Pointwise, five wide, pointwise convolution over time; (1, 128, T) → (1, outputs, T)."""

    def __init__(self, outputs: int, taps: int, padding: int) -> None:
        super().__init__()
        deep = [nn.Conv1d(HIDDEN, HIDDEN, taps, padding=padding) for _ in range(DEEP_LAYERS)]
        last = nn.Conv1d(HIDDEN, outputs, 1)
        self.layers = nn.ModuleList([nn.Conv1d(BANDS, HIDDEN, 1), *deep, last])

    def forward(self, levels: Tensor) -> Tensor:
        """levels: (1, 128, T) in [0, 1] → (1, outputs, T), or less where nothing is padded."""
        x = levels
        for layer in self.layers[:-1]:
            x = nn.functional.leaky_relu(layer(x))
        result: Tensor = self.layers[-1](x)
        return result

    def take(self, weights: dict[str, Tensor], prefix: str) -> None:
        """Fill in published weights; a stack with fewer taps keeps those that look back."""
        for place, layer in enumerate(self.layers):
            assert isinstance(layer, nn.Conv1d)
            kernel = weights[f"{prefix}.{place}.conv.weight"][..., : layer.kernel_size[0]]
            layer.weight.data.copy_(kernel)
            assert layer.bias is not None
            layer.bias.data.copy_(weights[f"{prefix}.{place}.conv.bias"])


class Decoder(nn.Module):
    """Three stacks that read the mark in spectra stretched, as they are, and compressed."""

    def __init__(self) -> None:
        super().__init__()
        self.stacks = nn.ModuleList(Stack(2, TAPS, TAPS // 2) for _ in BRANCHES)

    def forward(self, slow: Tensor, normal: Tensor, fast: Tensor) -> tuple[Tensor, ...]:
        """Each (1, 128, T) → (1, 2, T): how much a frame counts, and whether it is marked."""
        levels = (slow, normal, fast)
        return tuple(stack(level) for stack, level in zip(self.stacks, levels, strict=True))


def load(checkpoint: Path) -> tuple[Stack, Decoder]:
    """Read the published checkpoint; only tensors are unpickled."""
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["model"]
    encoder, decoder = Stack(BANDS, PAST_TAPS, 0), Decoder()
    encoder.take(weights, "encoder.layers")
    for name, stack in zip(BRANCHES, decoder.stacks, strict=True):
        assert isinstance(stack, Stack)
        stack.take(weights, f"decoder.{name}_layers")
    return encoder.eval(), decoder.eval()


def export(encoder: Stack, decoder: Decoder, folder: Path) -> None:
    """Write both graphs: encoder.onnx and decoder.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    # Examples of different lengths: equal ones would tie the lengths of the ports together.
    examples = tuple(torch.rand(1, BANDS, frames) for frames in (75, 60, 45))
    write_atomically(folder / ENCODER, graph_of(encoder, examples[:1], ["levels"], ["residual"]))
    marks = [f"{name}_marks" for name in BRANCHES]
    write_atomically(folder / DECODER, graph_of(decoder, examples, list(BRANCHES), marks))


def graph_of(
    module: nn.Module, example: tuple[Tensor, ...], inputs: list[str], outputs: list[str]
) -> bytes:
    """A graph with int8 weights whose last axis, time, may have any length."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "graph.onnx"
        torch.onnx.export(
            module,
            example,
            written,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=tuple({2: torch.export.Dim(f"{name}_frames")} for name in inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        model = onnx.load(written)
    round_weights(model.graph)
    content: bytes = model.SerializeToString()
    return content


def round_weights(graph: onnx.GraphProto) -> None:
    """Replace each convolution's kernel by int8 numbers and a scale for each output channel."""
    large = [tensor for tensor in graph.initializer if len(tensor.dims) == 3]
    for tensor in large:
        kernel = numpy_helper.to_array(tensor)
        scale = np.abs(kernel).max(axis=(1, 2)) / LARGEST_INT8
        rounded = np.rint(kernel / scale[:, None, None]).astype(np.int8)
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(rounded, f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"))
        node = helper.make_node(
            "DequantizeLinear", [f"{name}_int8", f"{name}_scale"], [name], axis=0
        )
        graph.node.insert(0, node)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="perth", description="export the watermark")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args(arguments)
    export(*load(options.checkpoint), options.target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
