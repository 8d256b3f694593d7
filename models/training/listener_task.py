"""Teaching the listener: which symbol is said in every 10 ms of the teacher's speech.

It hears noise and other microphones over it, so that what it goes by is speech and not a trace that
only a clean recording has.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.listener import Heard, Listener
from selftalk.models.nano import FRAMES_PER_TOKEN
from selftalk.models.training.examples import Example
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.vocoder_task import padded
from selftalk.stream.nano.alignment import TOKEN_SAMPLES

NOBODY = -100  # beyond the end of an utterance: not asked


class ListenerTask:
    """Cross entropy on symbols; see `Task`."""

    def __init__(
        self,
        model: Listener,
        train: Sequence[Example],
        valid: Sequence[Example],
        *,
        batch: int = 12,
        crop_tokens: int = 50,
    ) -> None:
        self.model = model
        self.train, self.valid = train, valid
        self.batch, self.crop_tokens = batch, crop_tokens
        lengths = np.array([example.tokens for example in train], float)
        self.chances = lengths / lengths.sum()

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        generator = np.random.default_rng((7, step))
        picked = generator.choice(len(self.train), self.batch, p=self.chances)
        rows = [self._crop(self.train[index], generator) for index in picked]
        waves, symbols = (torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))
        with torch.no_grad():
            bands = blotted(self.model.bands(elsewhere(waves)))
        with mixed_precision():
            heard = self.model(bands)
        said = F.cross_entropy(
            heard.symbols.float().flatten(0, 1), symbols.flatten(), label_smoothing=0.05
        )
        return said, {"symbols": float(said.detach())}

    def _crop(self, example: Example, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        T = self.crop_tokens
        first = int(generator.integers(max(1, example.tokens - T + 1)))
        samples = slice(TOKEN_SAMPLES * first, TOKEN_SAMPLES * (first + T))
        frames = slice(FRAMES_PER_TOKEN * first, FRAMES_PER_TOKEN * (first + T))
        symbols = example.symbols[example.alignment.frame_symbol[frames]]
        return (
            padded(example.wave[samples], TOKEN_SAMPLES * T),
            padded(symbols, FRAMES_PER_TOKEN * T, NOBODY),
        )

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`: of how many frames the symbol is named."""
        assert isinstance(model, Listener), type(model)
        right = []
        for example in self.valid:
            heard: Heard = model(model.bands(torch.from_numpy(example.wave)[None]))
            symbols = example.symbols[example.alignment.frame_symbol]
            right.append(np.mean(heard.symbols[0].argmax(-1).numpy() == symbols))
        return {"accuracy": float(np.mean(right))}


def elsewhere(waves: Tensor) -> Tensor:
    """Speech (B, S) at other levels, with noise 5 to 45 dB below it."""
    B = len(waves)
    level = waves.pow(2).mean(dim=1, keepdim=True).sqrt() + 1e-4
    noise = level * 10 ** (-torch.empty(B, 1).uniform_(5, 45) / 20) * torch.randn_like(waves)
    return (waves + noise) * 10 ** (torch.empty(B, 1).uniform_(-12, 6) / 20)


def blotted(bands: Tensor) -> Tensor:
    """Bands (B, F, 80) under a slow curve, with a few frames and bands blank (SpecAugment)."""
    B, frames, count = bands.shape
    knots = 0.25 * torch.randn(B, 1, 6)
    curve = F.interpolate(knots, size=count, mode="linear", align_corners=True)
    bands = bands + curve
    for row in range(B):
        for axis, longest in ((0, 12), (0, 12), (1, 10)):
            length = int(torch.randint(longest + 1, ()))
            start = int(torch.randint((frames, count)[axis] - length, ()))
            blank = slice(start, start + length)
            bands[(row, blank) if axis == 0 else (row, slice(None), blank)] = 0
    return bands
