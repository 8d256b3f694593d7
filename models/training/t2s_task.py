"""Teaching text to tokens: durations from the text encoder, tokens from the token decoder."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.nano import NanoConfig, TextEncoder, TokenDecoder
from selftalk.models.training.examples import Example
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.speakers import blurred
from selftalk.models.training.vocoder_task import padded


class TextToTokens(nn.Module):
    """The two modules that are trained together."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.encoder = TextEncoder(config)
        self.decoder = TokenDecoder(config)

    def forward(
        self,
        symbols: Tensor,
        mask: Tensor,
        speaker: Tensor,
        token_symbol: Tensor,
        place: Tensor,
        previous: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Teacher-forced: log durations (B, N) and token logits (B, T, V)."""
        context, durations = self.encoder(symbols, speaker, mask)
        width = context.shape[-1]
        said = context.gather(1, token_symbol[..., None].expand(-1, -1, width))
        logits, _ = self.decoder(previous, said, place, self.decoder.initial_state(len(symbols)))
        return durations, logits


class TextToTokensTask:
    """Cross entropy of tokens and squared error of log durations, on whole utterances."""

    IGNORE = -100
    CORRUPTED = 0.2  # of the previous tokens are random: generation also starts from errors

    def __init__(
        self,
        model: TextToTokens,
        train: Sequence[tuple[Example, np.ndarray]],
        valid: Sequence[tuple[Example, np.ndarray]],
        *,
        batch_tokens: int = 1000,
    ) -> None:
        self.model = model
        self.train = sorted(train, key=lambda pair: pair[0].tokens)
        self.valid = valid
        self.batch_tokens = batch_tokens

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        generator = np.random.default_rng((3, step))
        batch = self._collate(self._draw(generator), generator)
        with mixed_precision():
            durations, logits = self.model(*batch[:6])
        tokens, real_durations, mask = batch[6], batch[7], batch[1]
        said = F.cross_entropy(
            logits.float().flatten(0, 1), tokens.flatten(), ignore_index=self.IGNORE,
            label_smoothing=0.05,
        )  # fmt: skip
        error = ((durations.float() - real_durations).square() * mask).sum() / mask.sum()
        figures = {"tokens": float(said.detach()), "durations": float(error.detach())}
        return said + error, figures

    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`."""
        generator = np.random.default_rng(0)
        losses, right, errors, total = [], [], [], []
        for pair in self.valid:
            batch = self._collate([pair], generator, corrupt=False)
            durations, logits = model(*batch[:6])
            losses.append(float(F.cross_entropy(logits[0], batch[6][0])))
            right.append(float((logits[0].argmax(-1) == batch[6][0]).float().mean()))
            errors.append(float((durations - batch[7]).abs().mean()))
            total.append(float(durations.exp().sum() / batch[7].exp().sum()))
        return {
            "tokens": float(np.mean(losses)),
            "accuracy": float(np.mean(right)),
            "durations": float(np.mean(errors)),
            "length": float(np.mean(total)),
        }

    @torch.no_grad()
    def match_lengths(self, model: TextToTokens) -> float:
        """Scale all durations so that the held-out utterances last as long as they should.

        The least squared error of logarithms is at their mean, and its exponential is short of the
        mean duration: speech would be hurried. Returns the factor.
        """
        generator = np.random.default_rng(0)
        told = real = 0.0
        for pair in self.valid:
            batch = self._collate([pair], generator, corrupt=False)
            durations, _ = model(*batch[:6])
            told += float(durations.exp().sum())
            real += float(batch[7].exp().sum())
        last = model.encoder.duration[-1]
        assert isinstance(last, nn.Linear), type(last)
        last.bias.add_(math.log(real / told))
        return real / told

    def _draw(self, generator: np.random.Generator) -> list[tuple[Example, np.ndarray]]:
        """Neighbours in the list sorted by length, so that little is padded."""
        start = int(generator.integers(len(self.train)))
        picked: list[tuple[Example, np.ndarray]] = []
        longest = 0
        for pair in self.train[start : start + 64]:
            longest = max(longest, pair[0].tokens)
            if picked and longest * (len(picked) + 1) > self.batch_tokens:
                break
            picked.append(pair)
        return picked

    def _collate(
        self,
        pairs: Sequence[tuple[Example, np.ndarray]],
        generator: np.random.Generator,
        corrupt: bool = True,
    ) -> tuple[Tensor, ...]:
        symbols = max(len(example.symbols) for example, _ in pairs)
        length = max(example.tokens for example, _ in pairs)
        rows = []
        for example, tokens in pairs:
            previous = np.concatenate([[self.model.decoder.start], tokens[:-1]])
            if corrupt:
                wrong = generator.random(len(previous)) < self.CORRUPTED
                wrong[0] = False
                previous[wrong] = generator.integers(0, self.model.decoder.start, wrong.sum())
            log_durations = np.log(np.maximum(example.durations, 1)).astype(np.float32)
            rows.append(
                (
                    padded(example.symbols, symbols),
                    padded(np.ones(len(example.symbols), bool), symbols),
                    blurred(example.speaker, generator) if corrupt else example.speaker,
                    padded(example.alignment.token_symbol, length),
                    padded(example.alignment.token_place, length),
                    padded(previous, length),
                    padded(tokens, length, self.IGNORE),
                    padded(log_durations, symbols),
                )
            )
        return tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))
