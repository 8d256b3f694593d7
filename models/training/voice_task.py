"""Learning a voice: the few parameters of nano that make it sound like one person.

    stage A   who the networks think speaks, and shifts of what follows from it: colour and level,
              nothing that could be unlearnt
    stage B   how the condition shapes every layer, the last blocks, the head, the melody
    stage T   the rhythm: durations, and the last layer of the token decoder

A quarter of what stage B hears are stock voices spoken by the unchanged model, so that sounds
that the recordings lack are not forgotten. Knows nothing about recordings or files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.nano import NanoVocoder
from selftalk.models.training.examples import Example
from selftalk.models.training.loop import Schedule
from selftalk.models.training.person import PERSON, Learnt
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.t2s_task import TextToTokens, TextToTokensTask
from selftalk.models.training.vocoder_task import (
    Crop,
    VocoderBatch,
    crop_of,
    prosody_loss,
    run_vocoder,
    synthesize,
)
from selftalk.models.waveform import SpectralLoss

STAGE_A = r"shift|vocoder\.speaker\.layers\.2\.bias|vocoder\..*\.film\.bias"
STAGE_B = (
    r"vocoder\.(speaker\.layers\.2\..*|.*\.film\..*|filter\.blocks\.[3-9]\..*|norm\..*"
    r"|filter_out\..*|prosody\..*|prosody_out\..*)"
)
STAGE_T = (
    r"encoder\.duration\..*|encoder\.speaker\.layers\.2\..*|decoder\.layers\.{last}\..*"
    r"|decoder\.norm\..*"
)
REPLAY = 0.25
SYMBOL_DROP = 0.1
PROSODY_NOISE = 0.15

SCHEDULE_A = Schedule(
    steps=80, learning_rate=5e-3, warmup_steps=10, betas=(0.8, 0.99), averaging=0.9,
    weight_decay=0.0, save_every_seconds=15, validate_every_steps=40, report_every_steps=10,
)  # fmt: skip
SCHEDULE_B = replace(SCHEDULE_A, steps=300, learning_rate=4e-4, warmup_steps=20, averaging=0.97)
SCHEDULE_T = replace(SCHEDULE_A, steps=80, learning_rate=1e-4, betas=(0.9, 0.98), averaging=0.9)


@dataclass(frozen=True, slots=True)
class Replay:
    """A stock voice's speech, spoken by the unchanged model."""

    example: Example
    tokens: np.ndarray


class PersonalVocoder(nn.Module):
    """The vocoder, and where the person is in the space of speakers."""

    def __init__(self, vocoder: NanoVocoder, colour_size: int) -> None:
        super().__init__()
        self.vocoder = vocoder
        self.shift = nn.Parameter(torch.zeros(colour_size))

    def run(self, batch: VocoderBatch, is_person: Tensor) -> tuple[Tensor, Tensor]:
        """As `run_vocoder`; the items (B,) of the person are moved to their place."""
        moved = F.pad(self.shift, (0, 1)) * is_person[:, None]
        return run_vocoder(self.vocoder, replace(batch, speaker=batch.speaker + moved))


class VoiceTask:
    """Stages A and B: spectra and melody of the person's recordings."""

    def __init__(
        self,
        model: PersonalVocoder,
        train: Sequence[Learnt],
        valid: Sequence[Learnt],
        replay: Sequence[Replay] = (),
        *,
        parts: str = STAGE_B,
        batch: int = 6,
        crop_tokens: int = 32,
    ) -> None:
        self.model = model
        train_only(model, parts)
        self.train, self.valid, self.replay = train, valid, replay
        self.batch, self.crop_tokens = batch, crop_tokens
        self.spectral = SpectralLoss()

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        generator = np.random.default_rng((21, step))
        picks = [self._pick(generator) for _ in range(self.batch)]
        batch = crop_of(picks, self.crop_tokens, self.model.vocoder.no_symbol)
        told = replace(batch, prosody=misheard(batch.prosody, generator))
        is_person = torch.tensor([float(pick[0].speaker_name == PERSON) for pick in picks])
        with mixed_precision():
            predicted, filters = self.model.run(told, is_person)
        mel, linear = self.spectral(synthesize(filters, batch), batch.wave)
        melody = prosody_loss(predicted.float(), batch.prosody)
        figures = {"mel": mel, "linear": linear, "melody": melody}
        loss = mel + 0.5 * linear + 0.3 * melody
        return loss, {name: float(value.detach()) for name, value in figures.items()}

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`: recordings that were held out, with their own melody."""
        assert isinstance(model, PersonalVocoder), type(model)
        rows = []
        for learnt in self.valid:
            crop = (learnt.example, learnt.tokens, 0, not learnt.aligned)
            batch = crop_of([crop], len(learnt.tokens), model.vocoder.no_symbol)
            predicted, filters = model.run(batch, torch.ones(1))
            torch.manual_seed(0)  # the noise of every validation
            mel, _ = self.spectral(synthesize(filters, batch), batch.wave)
            rows.append((float(mel), float(prosody_loss(predicted, batch.prosody))))
        if not rows:
            return {}
        mel, melody = np.mean(rows, axis=0)
        return {"mel": float(mel), "melody": float(melody)}

    def _pick(self, generator: np.random.Generator) -> Crop:
        dropped = bool(generator.random() < SYMBOL_DROP)
        if self.replay and generator.random() < REPLAY:
            stock = self.replay[int(generator.integers(len(self.replay)))]
            return stock.example, stock.tokens, self._start(stock.tokens, generator), dropped
        lengths = np.array([len(learnt.tokens) for learnt in self.train], float)
        learnt = self.train[int(generator.choice(len(self.train), p=lengths / lengths.sum()))]
        start = self._start(learnt.tokens, generator)
        return learnt.example, learnt.tokens, start, dropped or not learnt.aligned

    def _start(self, tokens: np.ndarray, generator: np.random.Generator) -> int:
        return int(generator.integers(0, max(1, len(tokens) - self.crop_tokens + 1)))


def rhythm_task(
    model: TextToTokens, train: Sequence[Learnt], valid: Sequence[Learnt]
) -> TextToTokensTask | None:
    """Stage T, of recordings whose text was found in them; None if there are too few."""
    pairs = [
        [(each.example, each.tokens) for each in part if each.aligned] for part in (train, valid)
    ]
    if len(pairs[0]) < 3 or not pairs[1]:
        return None
    last = len(model.decoder.layers) - 1
    train_only(model, STAGE_T.replace("{last}", str(last)))
    return TextToTokensTask(model, *pairs)


def train_only(model: nn.Module, parts: str) -> None:
    """Freeze all parameters but those whose whole name matches."""
    pattern = re.compile(parts)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(pattern.fullmatch(name) is not None)


def misheard(prosody: Tensor, generator: np.random.Generator) -> Tensor:
    """The melody (B, T, 3) as the network itself might predict it: off by a little for a while."""
    B, T, _ = prosody.shape
    knots = generator.normal(0, PROSODY_NOISE, (B, 3, 2 + T // 10)).astype(np.float32)
    wobble = F.interpolate(torch.from_numpy(knots), size=T, mode="linear").transpose(1, 2)
    voiced = (prosody[..., 1:2] > 0.5).float()
    return prosody + wobble * torch.cat([voiced, 0 * voiced, torch.ones_like(voiced)], -1)
