"""Teaching the tokenizer: name the symbol and the melody of every 10 ms through a narrow code.

Half of a batch says what the other half says, in other voices and otherwise the same to the
sample: whose voice it is must not be heard in the code.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.nano import FRAMES_PER_TOKEN
from selftalk.models.tokenizer import Tokenizer, mask_spans
from selftalk.models.training.examples import Example
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.vocoder_task import padded, prosody_loss

Pick = tuple[int, int]
Features = npt.NDArray[np.float16]  # (2 T, 512)


class TokenizerTask:
    """Frame cross entropy on symbols; pitch, voicing and energy; agreement of pairs."""

    PAIR_WEIGHT = 1.0

    def __init__(
        self,
        model: Tokenizer,
        train: Sequence[tuple[Example, Features]],
        valid: Sequence[tuple[Example, Features]],
        *,
        batch: int = 12,
        crop_tokens: int = 75,
    ) -> None:
        self.model = model
        self.train, self.valid = train, valid
        self.batch, self.crop_tokens = batch, crop_tokens
        lengths = np.array([example.tokens for example, _ in train], float)
        self.chances = lengths / lengths.sum()
        self.partners = partners_of([example for example, _ in train])

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        generator = np.random.default_rng((2, step))
        picked = self._pick(generator)
        features, hummed, prosody, symbols = self._crop(picked, generator)
        with mixed_precision():
            logits, predicted, _, heard = self.model(features, hum(hummed, generator))
        said = F.cross_entropy(
            logits.float().flatten(0, 1), symbols.flatten(), label_smoothing=0.05
        )
        melody = prosody_loss(predicted.float(), prosody)
        pairs = pair_loss(heard, paired(self.partners, picked))
        figures = {
            "symbols": float(said.detach()),
            "prosody": float(melody.detach()),
            "pairs": float(pairs.detach()),
        }
        return said + 1.5 * melody + self.PAIR_WEIGHT * pairs, figures

    def _pick(self, generator: np.random.Generator) -> list[Pick]:
        """Where to crop: (example, first token), row i + batch / 2 the partner of row i if any."""
        half = self.batch // 2
        rows: list[Pick] = []
        for index in generator.choice(len(self.train), half, p=self.chances):
            tokens = self.train[index][0].tokens
            rows.append(
                (int(index), int(generator.integers(max(1, tokens - self.crop_tokens + 1))))
            )
        for index, start in rows[:half]:
            other = self.partners.get(index)
            if other is None:
                other = int(generator.choice(len(self.train), p=self.chances))
                start = self._start(other, generator)
            rows.append((other, start))
        return rows

    def _start(self, index: int, generator: np.random.Generator) -> int:
        tokens = self.train[index][0].tokens
        return int(generator.integers(max(1, tokens - self.crop_tokens + 1)))

    def _crop(
        self, picked: Sequence[Pick], generator: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, prosody as it is heard and as it was meant, symbols."""
        rows = []
        frames = FRAMES_PER_TOKEN * self.crop_tokens
        for index, start in picked:
            example, features = self.train[index]
            span = slice(FRAMES_PER_TOKEN * start, FRAMES_PER_TOKEN * start + frames)
            half = slice(2 * start, 2 * (start + self.crop_tokens))
            symbols = example.symbols[example.alignment.frame_symbol[span]]
            piece = features[half].astype(np.float32) * (1 + generator.normal(0, 0.05))
            piece += generator.normal(0, 0.05, piece.shape).astype(np.float32)
            rows.append(
                (
                    padded(piece.astype(np.float32), frames // 2),
                    padded(example.heard_prosody[span].astype(np.float32), frames),
                    padded(example.prosody[span], frames),
                    padded(symbols, frames, symbols[-1]),
                )
            )
        heard, hummed, prosody, said = (
            torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)
        )
        seed = torch.Generator().manual_seed(int(generator.integers(2**31)))
        return mask_spans(heard, seed), hummed, prosody, said

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`: frame accuracy, pitch correlation, how many codes are used."""
        assert isinstance(model, Tokenizer), type(model)
        right = total = 0
        correlations, codes = [], []
        for example, features in self.valid:
            logits, predicted, code, _ = model(*whole_input(example, features))
            symbols = example.symbols[example.alignment.frame_symbol]
            right += int((logits[0].argmax(-1).numpy() == symbols).sum())
            total += len(symbols)
            voiced = example.prosody[:, 1] > 0.5
            pair = np.corrcoef(predicted[0, voiced, 0].numpy(), example.prosody[voiced, 0])
            correlations.append(pair[0, 1])
            codes.append(code[0].numpy())
        used = np.concatenate(codes)
        share = np.bincount(used, minlength=model.quantizer.codes) / len(used)
        entropy = -(share[share > 0] * np.log2(share[share > 0])).sum()
        return {
            "accuracy": right / total,
            "pitch": float(np.nanmean(correlations)),
            "used": float((share > 0).sum()),
            "bits": float(entropy),
        }


def partners_of(examples: Sequence[Example]) -> dict[int, int]:
    """For each example that has one, the other of its pair, by their places in the list."""
    members: dict[int, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        if example.pair >= 0:
            members[example.pair].append(index)
    whole = [pair for pair in members.values() if len(pair) == 2]
    return {a: b for pair in whole for a, b in (pair, pair[::-1])}


def paired(partners: dict[int, int], picked: Sequence[Pick]) -> Tensor:
    """Which rows of the first half have their partner in the second half: (batch / 2,)."""
    half = len(picked) // 2
    return torch.tensor(
        [
            partners.get(index) == other
            for (index, _), (other, _) in zip(picked[:half], picked[half:], strict=True)
        ]
    )


def pair_loss(heard: Tensor, together: Tensor) -> Tensor:
    """Mean distance of the values before rounding, (B, T, D), between rows of pairs (B / 2,)."""
    first, second = heard.chunk(2)
    distance = (first - second).abs().mean(dim=(1, 2))
    return (distance * together).sum() / together.sum().clamp_min(1)


def whole_input(example: Example, features: Features) -> tuple[Tensor, Tensor]:
    """A whole utterance as a batch of one."""
    wanted = padded(features[: 2 * example.tokens].astype(np.float32), 2 * example.tokens)
    hummed = example.heard_prosody.astype(np.float32)
    return torch.from_numpy(wanted)[None], torch.from_numpy(hummed)[None]


def hum(prosody: Tensor, generator: np.random.Generator) -> Tensor:
    """The melody as the tokenizer hears it: a little off, as pitch trackers are."""
    noise = generator.normal(0, 0.1, prosody.shape).astype(np.float32)
    return prosody + torch.from_numpy(noise)


def tokenize(model: Tokenizer, pairs: Sequence[tuple[Example, Features]]) -> list[np.ndarray]:
    """The tokens of utterances, each (T,)."""
    model.eval()
    with torch.no_grad():
        return [model.tokens(*whole_input(*pair))[0].numpy() for pair in pairs]
