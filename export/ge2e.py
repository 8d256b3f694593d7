"""GE2E: the speaker encoder's published checkpoint as one ONNX graph of 5.7 MB.

    python -m selftalk.export.ge2e pretrained.pt ge2e.onnx

Done once, so that cloning a voice needs no torch. Knows nothing about audio: the mel windows
are computed by `selftalk.stream.speaker`.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from selftalk.stream.audio import write_atomically
from selftalk.stream.speaker import EMBEDDING_SIZE, MEL_BANDS, WINDOW_FRAMES

LAYERS = 3


class Ge2e(nn.Module):
    """Three LSTM layers; the last state of the last one, made positive and of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(MEL_BANDS, EMBEDDING_SIZE, LAYERS, batch_first=True)
        self.linear = nn.Linear(EMBEDDING_SIZE, EMBEDDING_SIZE)

    def forward(self, windows: Tensor) -> Tensor:
        """windows: (B, T, 40) mel power → (B, 256)."""
        _, (hidden, _) = self.lstm(windows)
        raw = torch.relu(self.linear(hidden[-1]))
        return nn.functional.normalize(raw, dim=1)


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
