"""Teaching the content encoder: hear what the tokenizer hears, in any room, from any throat.

The tokenizer reads the clean recording, the encoder a spoilt one. It has to name the same levels,
and on the way the symbols and Whisper's features, which come from real speech.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.content_encoder import SILENCE, TaughtContentEncoder, level_digits
from selftalk.models.nano import FRAMES_PER_TOKEN
from selftalk.models.tokenizer import FEATURES, Tokenizer
from selftalk.models.training.augment import SAMPLE_RATE_HZ, WARPS, elsewhere, live_log_mel
from selftalk.models.training.corpus import Utterance
from selftalk.models.training.examples import Example, example_of, whisper_features
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.tokenizer_task import Features, tokenize
from selftalk.models.training.vocoder_task import padded
from selftalk.stream.nano.alignment import SAMPLE_RATE_HZ as EXAMPLE_RATE_HZ
from selftalk.stream.nano.alignment import Int64Array
from selftalk.stream.sound.audio import Float32Array, Int16Array, from_int16, to_int16
from selftalk.stream.sound.resample import resample

TOKEN_SAMPLES = SAMPLE_RATE_HZ // 25


@dataclass(frozen=True, slots=True)
class Lesson:
    """One utterance of T tokens: what is heard, and what is to be said about it."""

    samples: Int16Array  # (640 T,) at 16 kHz
    prosody: npt.NDArray[np.float16]  # (4 T, 3)
    tokens: Int64Array  # (T,) by the tokenizer
    symbols: npt.NDArray[np.int16]  # (4 T,)
    features: Features  # (2 T, 512)


def lesson_of(utterance: Utterance, tokenizer: Tokenizer) -> Lesson:
    """An utterance and what the tokenizer makes of it."""
    example = example_of(utterance)
    features = whisper_features(utterance, example)
    return Lesson(
        samples=to_int16(resample(example.wave, EXAMPLE_RATE_HZ, SAMPLE_RATE_HZ)),
        prosody=example.heard_prosody,
        tokens=tokenize(tokenizer, [(example, features)])[0],
        symbols=spoken_symbols(example),
        features=features,
    )


def spoken_symbols(example: Example) -> npt.NDArray[np.int16]:
    """The symbol of every frame: (4 T,)."""
    return example.symbols[example.alignment.frame_symbol].astype(np.int16)


class ContentTask:
    """Cross entropy on levels and symbols, squared error of features; see `Task`."""

    SYMBOL_WEIGHT = 0.3
    FEATURE_WEIGHT = 1.0

    def __init__(
        self,
        model: TaughtContentEncoder,
        train: Sequence[Lesson],
        valid: Sequence[Lesson],
        *,
        batch: int = 12,
        crop_tokens: int = 75,
    ) -> None:
        self.model = model
        self.train, self.valid = train, valid
        self.batch, self.crop_tokens = batch, crop_tokens
        lengths = np.array([len(lesson.tokens) for lesson in train], float)
        self.chances = lengths / lengths.sum()

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        generator = np.random.default_rng((5, step))
        picked = generator.choice(len(self.train), self.batch, p=self.chances)
        rows = [self._crop(self.train[index], generator) for index in picked]
        mel, prosody, tokens, symbols, features, known = (
            torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)
        )
        with mixed_precision():
            levels, said, felt = self.model(mel, prosody)
        level_loss = self._level_loss(levels.float(), tokens, known)
        frames = known.repeat_interleave(FRAMES_PER_TOKEN, 1).bool()
        symbol_loss = F.cross_entropy(said.float()[frames], symbols[frames], label_smoothing=0.05)
        steps = known.repeat_interleave(2, 1).bool()
        wanted = F.layer_norm(features[steps], (FEATURES,))
        feature_loss = F.mse_loss(felt.float()[steps], wanted)
        figures = {
            "levels": float(level_loss.detach()),
            "symbols": float(symbol_loss.detach()),
            "features": float(feature_loss.detach()),
        }
        extra = self.SYMBOL_WEIGHT * symbol_loss + self.FEATURE_WEIGHT * feature_loss
        return level_loss + extra, figures

    def _level_loss(self, levels: Tensor, tokens: Tensor, known: Tensor) -> Tensor:
        sizes = self.model.encoder.levels
        losses = [
            F.cross_entropy(scores.transpose(1, 2), digits, reduction="none")
            for scores, digits in zip(
                levels.split(sizes, dim=-1), level_digits(tokens, sizes), strict=True
            )
        ]
        return (sum(losses, torch.zeros(())) * known).sum() / known.sum()

    def _crop(self, lesson: Lesson, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Mel, prosody, tokens, symbols, features, and which tokens are known."""
        T = self.crop_tokens
        first = int(generator.integers(max(1, len(lesson.tokens) - T + 1)))

        def of(values: np.ndarray, per_token: int, kind: type) -> np.ndarray:
            span = slice(per_token * first, per_token * (first + T))
            return padded(values[span].astype(kind), per_token * T)

        sound = from_int16(of(lesson.samples, TOKEN_SAMPLES, np.int16))
        warp = WARPS[generator.integers(len(WARPS))]
        mel = live_log_mel(elsewhere(sound, generator), warp)
        prosody = of(lesson.prosody, FRAMES_PER_TOKEN, np.float32)
        prosody = prosody + generator.normal(0, (0.15, 0, 0.05), 3)  # of a mean that is guessed
        prosody += generator.normal(0, 0.1, prosody.shape)
        known = np.arange(T) < len(lesson.tokens) - first
        return (
            masked(mel, generator),
            prosody.astype(np.float32),
            of(lesson.tokens, 1, np.int64),
            of(lesson.symbols, FRAMES_PER_TOKEN, np.int64),
            of(lesson.features, 2, np.float32),
            known.astype(np.float32),
        )

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`: how often code and level are the tokenizer's; symbols named."""
        assert isinstance(model, TaughtContentEncoder), type(model)
        right = np.zeros(3)
        for lesson in self.valid:
            mel = live_log_mel(from_int16(lesson.samples))
            prosody = torch.from_numpy(lesson.prosody.astype(np.float32))
            levels, said, _ = model(torch.from_numpy(mel)[None], prosody[None])
            codes, tokens = model.encoder.codes(levels)[0], torch.from_numpy(lesson.tokens)
            sizes = model.encoder.levels
            same = [
                (heard == meant).float().mean()
                for heard, meant in zip(
                    level_digits(codes, sizes), level_digits(tokens, sizes), strict=True
                )
            ]
            named = said[0].argmax(-1).numpy() == lesson.symbols
            right += [float((codes == tokens).float().mean()), np.mean(same), named.mean()]
        codes_right, levels_right, named_right = (right / len(self.valid)).tolist()
        return {"codes": codes_right, "levels": levels_right, "accuracy": named_right}


def masked(mel: Float32Array, generator: np.random.Generator) -> Float32Array:
    """Blank a few frames and bands, so that context has to help (SpecAugment)."""
    mel = mel.copy()
    for axis, longest in ((0, 16), (0, 16), (1, 12)):
        length = int(generator.integers(longest + 1))
        start = int(generator.integers(mel.shape[axis] - length))
        if axis:
            mel[:, start : start + length] = SILENCE
        else:
            mel[start : start + length] = SILENCE
    return mel
