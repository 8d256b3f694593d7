"""Teaching the vocoder: tokens and aligned symbols → the teacher's waveform."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.nano import FRAME_SAMPLES, FRAMES_PER_TOKEN, NanoVocoder
from selftalk.models.training.examples import Example
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.speakers import blurred
from selftalk.models.waveform import (
    SpectralLoss,
    apply_filters,
    frame_spectra,
    overlap_add,
    phase_loss,
)
from selftalk.stream.nano.alignment import TOKEN_SAMPLES, frame_text, unknown_text


@dataclass(frozen=True)
class VocoderBatch:
    """Crops of B utterances, T tokens each."""

    tokens: Tensor  # (B, T)
    symbols: Tensor  # (B, 4 T, 5) as in `FrameText`
    place: Tensor  # (B, 4 T, 2)
    prosody: Tensor  # (B, 4 T, 3)
    speaker: Tensor  # (B, speaker)
    wave: Tensor  # (B, T * 960)
    pulses: Tensor  # (B, T * 960)


@dataclass(frozen=True)
class Spoken:
    """A batch as the vocoder speaks it."""

    batch: VocoderBatch
    prosody: Tensor  # (B, 4 T, 3) predicted
    wave: Tensor  # (B, T * 960)


class VocoderTask:
    """Spectral reconstruction with the teacher's pitch; the pitch itself is learnt beside it."""

    PITCH_NOISE, ENERGY_NOISE = 0.2, 0.05  # both are of about unit variance
    SYMBOL_DROP = 0.15  # utterances heard without their text, as voice conversion will
    DRAWN = 0.5  # utterances told by the token decoder's own tokens, where these are given

    def __init__(
        self,
        model: NanoVocoder,
        train: Sequence[Example],
        train_tokens: Sequence[np.ndarray],
        valid: Sequence[Example],
        valid_tokens: Sequence[np.ndarray],
        *,
        drawn_tokens: Sequence[Sequence[np.ndarray]] = (),
        batch: int = 6,
        crop_tokens: int = 32,
    ) -> None:
        """Train on utterances and their tokens.

        Args:
            model: the vocoder.
            train: utterances to learn from.
            train_tokens: what the tokenizer heard in each.
            valid: utterances that are held out.
            valid_tokens: what it heard in those.
            drawn_tokens: several times the tokens of `train`, as the token decoder drew them.
            batch: crops in a step.
            crop_tokens: the length of each.
        """
        self.model = model
        self.drawn_tokens = drawn_tokens
        self.train, self.train_tokens = train, train_tokens
        self.valid, self.valid_tokens = valid, valid_tokens
        self.batch, self.crop_tokens = batch, crop_tokens
        self.spectral = SpectralLoss()
        lengths = np.array([example.tokens for example in train], float)
        self.chances = lengths / lengths.sum()

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        return self.score(self.speak(step))

    def speak(self, step: int) -> Spoken:
        """The batch of a step, spoken."""
        generator = np.random.default_rng((1, step))
        batch = self._draw(generator)
        told = replace(batch, prosody=self._misjudged(batch.prosody, generator))
        with mixed_precision():
            predicted, filters = run_vocoder(self.model, told)
        return Spoken(batch, predicted, synthesize(filters, batch))

    def score(self, spoken: Spoken) -> tuple[Tensor, dict[str, float]]:
        """The distance of what was spoken from the teacher's speech, and figures."""
        batch, predicted, made = spoken.batch, spoken.prosody, spoken.wave
        mel, linear = self.spectral(made, batch.wave)
        voiced = batch.prosody[..., 1]
        phase = phase_loss(made, batch.wave, (voiced > 0.5).float())
        prosody = prosody_loss(predicted.float(), batch.prosody)
        loss = mel + 0.5 * linear + phase + 0.3 * prosody
        figures = {"mel": mel, "linear": linear, "phase": phase, "prosody": prosody}
        return loss, {name: float(value.detach()) for name, value in figures.items()}

    def _misjudged(self, prosody: Tensor, generator: np.random.Generator) -> Tensor:
        """The melody as the network itself might predict it: off by a little for a while."""
        B, T, _ = prosody.shape
        knots = generator.standard_normal((B, 2, 2 + T // 10)).astype(np.float32)
        wobble = F.interpolate(torch.from_numpy(knots), size=T, mode="linear")
        voiced = (prosody[..., 1] > 0.5).float()
        off = [
            self.PITCH_NOISE * wobble[:, 0] * voiced,
            0 * voiced,
            self.ENERGY_NOISE * wobble[:, 1],
        ]
        return prosody + torch.stack(off, dim=-1)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`: whole utterances with the teacher's pitch."""
        assert isinstance(model, NanoVocoder), type(model)
        totals = []
        for example, tokens in zip(self.valid, self.valid_tokens, strict=True):
            batch = crop_of([(example, tokens, 0, False)], example.tokens, model.no_symbol)
            predicted, filters = run_vocoder(model, batch)
            mel, linear = self.spectral(synthesize(filters, batch), batch.wave)
            voiced = batch.prosody[..., 1] > 0.5
            error = (predicted[..., 0] - batch.prosody[..., 0])[voiced]
            totals.append([float(mel), float(linear), float(error.abs().mean())])
        mel, linear, pitch = np.mean(totals, axis=0)
        return {"mel": mel, "linear": linear, "pitch": pitch}

    def _draw(self, generator: np.random.Generator) -> VocoderBatch:
        picks: list[Crop] = []
        for index in generator.choice(len(self.train), self.batch, p=self.chances):
            example = self.train[index]
            start = int(generator.integers(0, max(1, example.tokens - self.crop_tokens + 1)))
            dropped = bool(generator.random() < self.SYMBOL_DROP)
            example = replace(example, speaker=blurred(example.speaker, generator))
            picks.append((example, self._told(index, dropped, generator), start, dropped))
        return crop_of(picks, self.crop_tokens, self.model.no_symbol)

    def _told(self, index: int, dropped: bool, generator: np.random.Generator) -> np.ndarray:
        """The tokens of a training utterance: those that were heard, or some that were drawn.

        Without the text they are the only source of words, so they have to be right.
        """
        if self.drawn_tokens and not dropped and generator.random() < self.DRAWN:
            return self.drawn_tokens[int(generator.integers(len(self.drawn_tokens)))][index]
        return misread(self.train_tokens[index], self.model.levels, generator)


Crop = tuple[Example, np.ndarray, int, bool]
"""An example, its tokens, where the crop starts, and whether its text is withheld."""


def misread(
    tokens: np.ndarray, levels: Sequence[int], generator: np.random.Generator
) -> np.ndarray:
    """Tokens (T,) as a decoder might draw them: in half the utterances some are a level off."""
    if generator.random() < 0.5:
        return tokens
    places = np.cumprod([1, *levels[:-1]])
    digits = tokens[:, None] // places % levels
    wrong = generator.random(digits.shape) < generator.uniform(0, 0.3)
    moved = np.clip(digits + generator.choice([-1, 1], digits.shape), 0, np.array(levels) - 1)
    result: np.ndarray = (np.where(wrong, moved, digits) * places).sum(axis=1)
    return result


def crop_of(picks: Sequence[Crop], tokens: int, no_symbol: int) -> VocoderBatch:
    """Cut the same number of tokens from each example at its start token; pad with silence."""
    rows = []
    for example, codes, start, dropped in picks:
        end = start + tokens
        frames = slice(FRAMES_PER_TOKEN * start, FRAMES_PER_TOKEN * end)
        samples = slice(TOKEN_SAMPLES * start, TOKEN_SAMPLES * end)
        text = frame_text(example.symbols, example.alignment, no_symbol)[frames]
        if dropped:
            text = unknown_text(len(text), no_symbol)
        rows.append(
            (
                padded(codes[start:end], tokens, codes[-1]),
                padded(text.symbols, FRAMES_PER_TOKEN * tokens, no_symbol),
                padded(text.place, FRAMES_PER_TOKEN * tokens),
                padded(example.prosody[frames], FRAMES_PER_TOKEN * tokens),
                example.speaker,
                padded(example.wave[samples], TOKEN_SAMPLES * tokens),
                padded(example.pulses[samples], TOKEN_SAMPLES * tokens),
            )
        )
    return VocoderBatch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))


def padded(values: np.ndarray, length: int, fill: float = 0) -> np.ndarray:
    """Lengthen (n, …) to (length, …)."""
    missing = [(0, length - len(values))] + [(0, 0)] * (values.ndim - 1)
    return np.pad(values, missing, constant_values=fill)


def run_vocoder(model: NanoVocoder, batch: VocoderBatch) -> tuple[Tensor, Tensor]:
    """Prosody and filters of whole crops; zeros stand for what follows the crop."""
    B = len(batch.tokens)
    ahead = -(-model.lookahead_frames // FRAMES_PER_TOKEN)
    tokens = F.pad(batch.tokens, (0, ahead))
    longer = (0, 0, 0, FRAMES_PER_TOKEN * ahead)
    symbols = F.pad(batch.symbols, longer, value=model.no_symbol)
    place, prosody = F.pad(batch.place, longer), F.pad(batch.prosody, longer)
    frames = batch.symbols.shape[1]
    state = model.initial_state(B)
    predicted, filters, _ = model(tokens, symbols, place, batch.speaker, state, prosody)
    return predicted[:, :frames], filters[:, :frames]


def synthesize(filters: Tensor, batch: VocoderBatch) -> Tensor:
    """Waveform (B, samples) of filters, the teacher's pulses and fresh noise."""
    pulses = frame_spectra(batch.pulses)
    noise = frame_spectra(torch.randn_like(batch.pulses))
    made = overlap_add(apply_filters(filters, pulses, noise))
    assert made.shape[1] == batch.wave.shape[1] == filters.shape[1] * FRAME_SAMPLES
    return made


def prosody_loss(predicted: Tensor, real: Tensor) -> Tensor:
    """Pitch where voiced (L1), voicing (cross entropy), energy (L1): (B, T, 3) each."""
    voiced = (real[..., 1] > 0.5).float()
    pitch = ((predicted[..., 0] - real[..., 0]).abs() * voiced).sum() / (voiced.sum() + 1)
    voicing = F.binary_cross_entropy_with_logits(predicted[..., 1], real[..., 1].clamp(0, 1))
    return pitch + voicing + (predicted[..., 2] - real[..., 2]).abs().mean()
