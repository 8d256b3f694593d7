"""Learning a voice: the few parameters of nano that make it sound like one person.

    sound     how the condition shapes every layer of the vocoder, its last blocks, its head
    rhythm    durations, and the last layer of the token decoder

Two kinds of speech are heard. Recordings of the person say how they sound. Sentences that the
unchanged model says in the enrolled voice say what each sound is: their symbols are exact, those
of a recording are not, and all sounds occur, as they do not in a minute. A speaker encoder tells of
both how near they are to the person. Knows nothing about recordings or files.
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
from selftalk.models.training.likeness import Likeness
from selftalk.models.training.loop import Schedule
from selftalk.models.training.person import Learnt
from selftalk.models.training.postfiltered import postfiltered
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.t2s_task import TextToTokens, TextToTokensTask
from selftalk.models.training.vocoder_task import (
    Crop,
    crop_of,
    prosody_loss,
    run_vocoder,
    synthesize,
)
from selftalk.models.waveform import SpectralLoss
from selftalk.stream.nano.postfilter import Postfilter

SOUND = (
    r"speaker\..*|.*\.film\..*|filter\.blocks\.[3-9]\..*|norm\..*|filter_out\..*"
    r"|prosody_out\..*"
)
RHYTHM = (
    r"encoder\.duration\..*|encoder\.speaker\.layers\.2\..*|decoder\.layers\.{last}\..*"
    r"|decoder\.norm\..*"
)
RECORDED, SAID = 3, 3  # crops of each kind in a batch
SYMBOL_DROP = 0.1
PROSODY_NOISE = 0.15
LIKENESS, ARTICULATION = 3.0, 2.0  # weights of the losses

SOUND_SCHEDULE = Schedule(
    steps=100, learning_rate=6e-4, warmup_steps=10, betas=(0.8, 0.99), averaging=0.95,
    weight_decay=0.0, save_every_seconds=30, validate_every_steps=50, report_every_steps=10,
)  # fmt: skip
RHYTHM_SCHEDULE = replace(
    SOUND_SCHEDULE, steps=80, learning_rate=1e-4, betas=(0.9, 0.98), averaging=0.9
)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that the unchanged model says in the enrolled voice."""

    example: Example
    tokens: np.ndarray


class VoiceTask:
    """Sound and melody of the recordings, the words of what the model says."""

    def __init__(
        self,
        model: NanoVocoder,
        train: Sequence[Learnt],
        valid: Sequence[Learnt],
        said: Sequence[Said],
        likeness: Likeness,
        *,
        postfilter: Postfilter = Postfilter(),  # noqa: B008  a value
        crop_tokens: int = 40,
    ) -> None:
        """Learn what is heard: behind the postfilter of the runtime."""
        self.model = model
        train_only(model, SOUND)
        self.train, self.valid, self.said, self.likeness = train, valid, said, likeness
        self.postfilter, self.crop_tokens = postfilter, crop_tokens
        self.spectral = SpectralLoss()
        lengths = np.array([len(learnt.tokens) for learnt in train], float)
        self.chances = lengths / lengths.sum()

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        generator = np.random.default_rng((21, step))
        picks = [self._recorded(generator) for _ in range(RECORDED)]
        picks += [self._said(generator) for _ in range(SAID)]
        batch = crop_of(picks, self.crop_tokens, self.model.no_symbol)
        told = replace(batch, prosody=misheard(batch.prosody, generator))
        with mixed_precision():
            predicted, filters = run_vocoder(self.model, told)
        made = synthesize(postfiltered(filters, self.postfilter), batch)
        mel, linear = self.spectral(made[:RECORDED], batch.wave[:RECORDED])
        losses = {
            "mel": mel,
            "linear": 0.5 * linear,
            "melody": 0.3 * prosody_loss(predicted.float(), batch.prosody),
            "words": ARTICULATION * self._articulation(made[RECORDED:], batch.wave[RECORDED:]),
            "likeness": LIKENESS * self.likeness(made),
        }
        return sum(losses.values(), made.new_zeros(())), {
            name: float(value.detach()) for name, value in losses.items()
        }

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`: recordings that were held out, with their own melody."""
        assert isinstance(model, NanoVocoder), type(model)
        rows = []
        for learnt in self.valid:
            crop = (learnt.example, learnt.tokens, 0, not learnt.aligned)
            batch = crop_of([crop], len(learnt.tokens), model.no_symbol)
            predicted, filters = run_vocoder(model, batch)
            torch.manual_seed(0)  # the noise of every validation
            made = synthesize(postfiltered(filters, self.postfilter), batch)
            mel, _ = self.spectral(made, batch.wave)
            melody = prosody_loss(predicted, batch.prosody)
            rows.append((float(mel), float(melody), float(self.likeness(made))))
        return dict(zip(("mel", "melody", "likeness"), np.mean(rows, axis=0), strict=True))

    def _recorded(self, generator: np.random.Generator) -> Crop:
        learnt = self.train[int(generator.choice(len(self.train), p=self.chances))]
        dropped = bool(generator.random() < SYMBOL_DROP) or not learnt.aligned
        return learnt.example, learnt.tokens, self._start(learnt.tokens, generator), dropped

    def _said(self, generator: np.random.Generator) -> Crop:
        said = self.said[int(generator.integers(len(self.said)))]
        return said.example, said.tokens, self._start(said.tokens, generator), False

    def _start(self, tokens: np.ndarray, generator: np.random.Generator) -> int:
        return int(generator.integers(0, max(1, len(tokens) - self.crop_tokens + 1)))

    def _articulation(self, made: Tensor, said: Tensor) -> Tensor:
        """Distance of log-mel spectra, each band relative to its own mean over time.

        What is said moves the bands; in what colour it is said is in their means.
        """
        losses = [
            F.l1_loss(a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True))
            for (_, a), (_, b) in zip(
                self.spectral.spectra(made), self.spectral.spectra(said), strict=True
            )
        ]
        return torch.stack(losses).mean()


def rhythm_task(
    model: TextToTokens, train: Sequence[Learnt], valid: Sequence[Learnt]
) -> TextToTokensTask | None:
    """The rhythm, of recordings whose text was found in them; None if there are too few."""
    pairs = [
        [(each.example, each.tokens) for each in part if each.aligned] for part in (train, valid)
    ]
    if len(pairs[0]) < 3 or not pairs[1]:
        return None
    last = len(model.decoder.layers) - 1
    train_only(model, RHYTHM.replace("{last}", str(last)))
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
