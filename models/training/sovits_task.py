"""Stage 2 of the official family: semantic tokens, phones and a style → waveform.

A variational autoencoder against discriminators: the posterior of a recording speaks a slice of
it, the prior from tokens and phones has to meet the posterior. Padding neither counts nor is seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models import weight_norm
from selftalk.models.discriminator import Discriminators
from selftalk.models.losses import (
    discriminator_loss,
    feature_loss,
    generator_loss,
    kl_divergence,
)
from selftalk.models.sovits import SpeechBatch, TrainableSovits, TrainingPass, slices
from selftalk.models.spectral import log_mel, mel_spectrogram, spectrogram
from selftalk.models.training.batches import Batches
from selftalk.models.training.dataset import Recorded
from selftalk.models.training.loop import Schedule
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.semantic_task import stacked

MEL_BANDS = 128
MEL_WEIGHT = 45.0
SLICE_FRAMES = 32
TEXT_RATE = 0.4  # of the learning rate, for what has to do with text
TEXT_PARTS = ("phones.", "phone_layers.", "mrte.")  # of the text encoder


@dataclass(frozen=True)
class SovitsSchedule(Schedule):
    """The official one: a rate that shrinks a little with each epoch, no clipping."""

    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.8, 0.99)
    epsilon: float = 1e-9
    epoch_steps: int = 1
    epoch_decay: float = 0.999875
    report_every_steps: int = 10

    def rate(self, step: int) -> float:
        """The same during an epoch."""
        return self.learning_rate * self.epoch_decay ** (step // self.epoch_steps)


class Recordings(NamedTuple):
    """A batch, and the slices that are spoken."""

    speech: SpeechBatch
    wave: Tensor  # (B, S)
    starts: Tensor  # (B,)


class Made(NamedTuple):
    """A step before it is scored."""

    recordings: Recordings
    result: TrainingPass


class SovitsTask:
    """See the module."""

    def __init__(
        self,
        model: TrainableSovits,
        train: Sequence[Recorded],
        valid: Sequence[Recorded] = (),
        *,
        judges: Discriminators | None = None,
        batch: int = 4,
        device: str = "cpu",
        slice_frames: int = SLICE_FRAMES,
    ) -> None:
        self.config = model.sovits.config
        judges = judges or Discriminators(self.config.discriminator_periods)
        for module in (model, judges):
            weight_norm.attach(module)
        self.model, self.judges = model.to(device), judges.to(device)
        self.device, self.slice_frames = device, slice_frames
        self.train = [item for item in train if self._frames(item) >= slice_frames]
        self.valid = [item for item in valid if self._frames(item) >= slice_frames]
        self.batches = Batches([self._frames(item) for item in self.train], batch)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """See `AdversarialTask`."""
        prefixes = tuple(f"sovits.text_encoder.{part}" for part in TEXT_PARTS)
        named = dict(self.model.named_parameters())
        text = [value for name, value in named.items() if name.startswith(prefixes)]
        rest = [value for name, value in named.items() if not name.startswith(prefixes)]
        return [{"params": rest}, {"params": text, "rate_scale": TEXT_RATE}]

    def generate(self, step: int) -> tuple[Made, Tensor, Tensor]:
        """See `AdversarialTask`."""
        batch = self._collate([self.train[index] for index in self.batches.at(step)], step)
        made, real = self._speak(self.model, batch, step)
        return made, real, made.result.wave.float()

    def judges_loss(self, real: Tensor, made: Tensor) -> Tensor:
        """See `AdversarialTask`."""
        with mixed_precision(self.device):
            on_real, on_made = self.judges(real), self.judges(made)
        return discriminator_loss(
            [each.score.float() for each in on_real], [each.score.float() for each in on_made]
        )

    def model_loss(
        self, made_of: Made, real: Tensor, made: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """See `AdversarialTask`."""
        with mixed_precision(self.device):
            on_real, on_made = self.judges(real), self.judges(made)
        mel, divergence = self._distances(made_of)
        fooled = generator_loss([each.score.float() for each in on_made])
        features = feature_loss(
            [each.features for each in on_real], [each.features for each in on_made]
        )
        loss = fooled + features + MEL_WEIGHT * mel + divergence
        figures = {"mel": mel, "kl": divergence, "features": features, "fooled": fooled}
        return loss, {name: float(value.detach()) for name, value in figures.items()}

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`: a step in which the judges do not learn."""
        made_of, real, made = self.generate(step)
        return self.model_loss(made_of, real, made)

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`."""
        assert isinstance(model, TrainableSovits), type(model)
        rows = []
        for index, item in enumerate(self.valid):
            made, _ = self._speak(model, self._collate([item], index), index)
            rows.append([float(value) for value in self._distances(made)])
        if not rows:
            return {}
        mel, divergence = np.mean(rows, axis=0)
        return {"mel": float(mel), "kl": float(divergence)}

    def _speak(self, model: TrainableSovits, batch: Recordings, step: int) -> tuple[Made, Tensor]:
        B, _, T = batch.speech.spectrum.shape
        generator = torch.Generator().manual_seed(step)
        noise = torch.randn(B, self.config.latent, T, generator=generator).to(self.device)
        with mixed_precision(self.device):
            result = model(batch.speech, noise, batch.starts, self.slice_frames)
        hop = self.config.hop_samples
        real = slices(batch.wave[:, None], hop * batch.starts, hop * self.slice_frames)[:, 0]
        return Made(batch, result), real

    def _distances(self, made: Made) -> tuple[Tensor, Tensor]:
        """Mel distance of the slices, divergence of posterior and prior."""
        config, batch, result = self.config, made.recordings, made.result
        rate, hop = config.sample_rate_hz, config.hop_samples
        whole = log_mel(batch.speech.spectrum, MEL_BANDS, rate)
        target = slices(whole, batch.starts, self.slice_frames)
        spoken = mel_spectrogram(result.wave.float(), MEL_BANDS, rate, config.window_samples, hop)
        divergence = kl_divergence(
            result.z_p.float(),
            result.posterior_log_scale.float(),
            result.mean.float(),
            result.log_scale.float(),
            batch.speech.frame_mask,
        )
        return F.l1_loss(spoken, target), divergence

    def _frames(self, item: Recorded) -> int:
        """Frames of an item: an even number, for a token has two."""
        return min(len(item.wave) // self.config.hop_samples, len(item.ssl)) // 2 * 2

    def _collate(self, items: Sequence[Recorded], step: int) -> Recordings:
        frames = [self._frames(item) for item in items]
        hop, generator = self.config.hop_samples, np.random.default_rng((13, step))
        starts = [int(generator.integers(0, each - self.slice_frames + 1)) for each in frames]
        waves = [item.samples[: hop * each] for item, each in zip(items, frames, strict=True)]
        parts = (part.to(self.device) for part in self._speech(items, frames, waves))
        speech = SpeechBatch(*parts)
        wave = stacked(waves).to(self.device)
        return Recordings(speech, wave, torch.tensor(starts, device=self.device))

    def _speech(
        self, items: Sequence[Recorded], frames: Sequence[int], waves: Sequence[np.ndarray]
    ) -> Iterator[Tensor]:
        """The parts of a `SpeechBatch`."""
        yield stacked([i.ssl[:n].astype(np.float32) for i, n in zip(items, frames, strict=True)])
        spectra = [self._spectrum(wave) for wave in waves]
        yield torch.stack([F.pad(each, (0, max(frames) - each.shape[1])) for each in spectra])
        yield torch.arange(max(frames)) < torch.tensor(frames)[:, None]
        phones = stacked([item.phones for item in items])
        yield phones
        lengths = torch.tensor([len(item.phones) for item in items])
        yield torch.arange(phones.shape[1]) < lengths[:, None]
        if self.config.speaker_width:
            embeddings = [item.speaker for item in items if item.speaker is not None]
            assert len(embeddings) == len(items), "v2Pro needs a speaker embedding of every item"
            yield torch.from_numpy(np.stack(embeddings))

    def _spectrum(self, wave: np.ndarray) -> Tensor:
        """Linear magnitudes (F, frames) of one recording, its own end mirrored, not padding."""
        window, hop = self.config.window_samples, self.config.hop_samples
        return spectrogram(torch.from_numpy(wave)[None], window, hop)[0]
