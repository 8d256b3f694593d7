"""Teaching the timbre encoder: from any few seconds of a voice, the timbre it was rendered with.

Rooms and microphones colour a voice as strongly as a throat does, so every crop is heard through
another one: a random curve over the bands, another level, noise from below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.training.corpus import SAMPLE_RATE_HZ, Utterance
from selftalk.models.training.precision import mixed_precision
from selftalk.stream.listening.log_mel import MEL_BANDS, log_mel
from selftalk.stream.nano.timbre import TIMBRE_SCALE, TIMBRE_SIZE
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sound.resample import resample

HEARING_RATE_HZ = 16_000
VALID_EVERY = 10
"""One speaker in so many is heard in validation only."""
VALID_FRAMES = 400


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance as the encoder hears it."""

    mel: Float32Array  # (80, T)
    timbre: Float32Array  # (128,) of unit variance
    speaker: str


def heard(utterance: Utterance) -> Heard:
    """Mel bands and timbre of an utterance."""
    samples = resample(utterance.samples, SAMPLE_RATE_HZ, HEARING_RATE_HZ)
    timbre = TIMBRE_SCALE * utterance.style[:TIMBRE_SIZE].astype(np.float32)
    return Heard(log_mel(samples), timbre, utterance.line.speaker)


def by_speakers(items: Sequence[Heard]) -> tuple[list[Heard], list[Heard]]:
    """Training and validation items, which share no speaker."""
    names = sorted({item.speaker for item in items})
    kept = set(names[::VALID_EVERY])
    train = [item for item in items if item.speaker not in kept]
    return train, [item for item in items if item.speaker in kept]


class TimbreTask:
    """Squared error of timbres; see `Task`."""

    def __init__(
        self,
        model: nn.Module,
        train: Sequence[Heard],
        valid: Sequence[Heard],
        *,
        batch: int = 24,
        frames: tuple[int, int] = (150, 400),
    ) -> None:
        self.model = model
        self.train, self.valid = train, valid
        self.batch, self.frames = batch, frames

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        generator = np.random.default_rng((4, step))
        length = int(generator.integers(*self.frames, endpoint=True))
        picked = [self.train[i] for i in generator.integers(len(self.train), size=self.batch)]
        mel = np.stack([recoloured(crop(i.mel, length, generator), generator) for i in picked])
        with mixed_precision():
            guessed = self.model(torch.from_numpy(mel))
        real = torch.from_numpy(np.stack([item.timbre for item in picked]))
        error = F.mse_loss(guessed.float(), real)
        return error, {"error": float(error.detach())}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`: share of the variance that is explained, of unheard speakers."""
        generator = np.random.default_rng(0)
        mels = [crop(item.mel, VALID_FRAMES, generator) for item in self.valid]
        guessed = np.concatenate([model(torch.from_numpy(mel[None])).numpy() for mel in mels])
        real = np.stack([item.timbre for item in self.valid])
        spread = np.square(real - real.mean(axis=0)).sum()
        return {"explained": float(1 - np.square(guessed - real).sum() / spread)}


def crop(mel: Float32Array, frames: int, generator: np.random.Generator) -> Float32Array:
    """A random stretch (80, frames); what is shorter is repeated."""
    if mel.shape[1] < frames:
        mel = np.tile(mel, (1, -(-frames // mel.shape[1])))
    start = int(generator.integers(mel.shape[1] - frames + 1))
    return mel[:, start : start + frames]


def recoloured(mel: Float32Array, generator: np.random.Generator) -> Float32Array:
    """The same speech through another microphone in another room: (80, T) → (80, T)."""
    knots = generator.normal(0, 0.06, 6)
    curve = np.interp(np.linspace(0, 5, MEL_BANDS), np.arange(6), knots)
    floor = mel.max() - generator.uniform(0.8, 2.0)  # 2.0 is Whisper's whole range
    noise = floor + generator.normal(0, 0.05, mel.shape)
    made = np.maximum(mel + curve[:, None] + generator.normal(0, 0.1), noise)
    return made.astype(np.float32)
