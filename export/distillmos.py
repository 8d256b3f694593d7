"""DistillMOS: a stricter rating of how natural speech sounds, by the package of that name.

It is a torch model and therefore stands here, not in the runtime; it imports torchaudio, which it
does not need for sound that is already in memory, so a machine without a torchaudio that fits its
torch can use it all the same (Stahl and Gamper 2025, "Distillation and Pruning for Scalable
Self-Supervised Representation-Based Speech Quality Assessment").
"""

import contextlib
import io
import sys
import types

import torch

from selftalk.stream.errors import ConfigError
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.resample import resample

SAMPLE_RATE_HZ = 16_000


class DistillMos:
    """Rates speech from 1 to 5."""

    def __init__(self) -> None:
        """Load the package's model.

        Raises:
            ConfigError: the package is not installed.
        """
        sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))
        try:
            from distillmos import ConvTransformerSQAModel
        except ImportError as error:
            raise ConfigError(
                "DistillMOS is not installed: pip install distillmos xls-r-sqa --no-deps"
            ) from error
        with contextlib.redirect_stdout(io.StringIO()):  # it tells where its weights are
            self._model = ConvTransformerSQAModel().eval()

    def rate(self, chunk: AudioChunk) -> float:
        """The rating of a recording of one speaker."""
        samples = resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)
        with torch.no_grad():
            return float(self._model(torch.from_numpy(samples)[None]))
