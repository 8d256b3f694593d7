"""Teaching text to tokens: durations from the text encoder, tokens from the token decoder."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.nano import NanoConfig, TextEncoder, TokenDecoder
from selftalk.models.training.durations import PlannedLine
from selftalk.models.training.examples import Example
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.speakers import blurred
from selftalk.models.training.vocoder_task import padded
from selftalk.stream.nano.alignment import Durations
from selftalk.stream.sound.audio import Float32Array

Item = TypeVar("Item")


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
    """Cross entropy of tokens and squared error of log durations, on whole utterances.

    Durations are learnt from planned lines as well, if there are any: see `durations.py`.
    """

    IGNORE = -100
    PLANNED_SYMBOLS = 2000
    """Of planned lines in each step."""
    CORRUPTED = 0.2  # of the previous tokens are random: generation also starts from errors

    def __init__(
        self,
        model: TextToTokens,
        train: Sequence[tuple[Example, np.ndarray]],
        valid: Sequence[tuple[Example, np.ndarray]],
        *,
        batch_tokens: int = 1000,
        planned: Sequence[PlannedLine] = (),
        valid_planned: Sequence[PlannedLine] = (),
    ) -> None:
        self.model = model
        self.planned = sorted(planned, key=lambda line: len(line.symbols))
        self.valid_planned = valid_planned
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
        error = squared_error(durations, real_durations, mask)
        figures = {"tokens": float(said.detach()), "durations": float(error.detach())}
        if not self.planned:
            return said + error, figures
        lines = neighbours(
            self.planned, generator, lambda line: len(line.symbols), self.PLANNED_SYMBOLS
        )
        planned = self._planned_error(lines, generator)
        return said + error + planned, figures | {"planned": float(planned.detach())}

    def _planned_error(
        self, lines: Sequence[PlannedLine], generator: np.random.Generator
    ) -> Tensor:
        longest = max(len(line.symbols) for line in lines)
        rows = [
            (
                padded(line.symbols, longest),
                padded(np.ones(len(line.symbols), bool), longest),
                blurred(line.speaker, generator),
                padded(log_durations(line.durations), longest),
            )
            for line in lines
        ]
        columns = zip(*rows, strict=True)
        symbols, mask, speaker, real = (torch.from_numpy(np.stack(column)) for column in columns)
        with mixed_precision():
            _, durations = self.model.encoder(symbols, speaker, mask)
        return squared_error(durations, real, mask)

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
        figures = {
            "tokens": float(np.mean(losses)),
            "accuracy": float(np.mean(right)),
            "durations": float(np.mean(errors)),
            "length": float(np.mean(total)),
        }
        return figures | self._validate_planned(model)

    def _validate_planned(self, model: nn.Module) -> dict[str, float]:
        if not self.valid_planned:
            return {}
        assert isinstance(model, TextToTokens), type(model)
        errors = []
        for line in self.valid_planned:
            symbols, speaker = torch.from_numpy(line.symbols), torch.from_numpy(line.speaker)
            mask = torch.ones(1, len(symbols), dtype=torch.bool)
            _, durations = model.encoder(symbols[None], speaker[None], mask)
            real = torch.from_numpy(log_durations(line.durations))
            errors.append(float((durations[0] - real).abs().mean()))
        return {"planned": float(np.mean(errors))}

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
        return neighbours(self.train, generator, lambda pair: pair[0].tokens, self.batch_tokens)

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
            rows.append(
                (
                    padded(example.symbols, symbols),
                    padded(np.ones(len(example.symbols), bool), symbols),
                    blurred(example.speaker, generator) if corrupt else example.speaker,
                    padded(example.alignment.token_symbol, length),
                    padded(example.alignment.token_place, length),
                    padded(previous, length),
                    padded(tokens, length, self.IGNORE),
                    padded(log_durations(example.durations), symbols),
                )
            )
        return tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))


def neighbours(
    items: Sequence[Item], generator: np.random.Generator, length: Callable[[Item], int], most: int
) -> list[Item]:
    """A batch out of a list sorted by length, so that little is padded.

    Args:
        items: the list.
        generator: where in it.
        length: of an item.
        most: the batch is not longer than this in all, with the padding; but it has one item.
    """
    start = int(generator.integers(len(items)))
    picked: list[Item] = []
    longest = 0
    for item in items[start : start + 64]:
        longest = max(longest, length(item))
        if picked and longest * (len(picked) + 1) > most:
            break
        picked.append(item)
    return picked


def log_durations(units: Durations) -> Float32Array:
    """What the encoder learns: the logarithm of each duration, of at least one unit."""
    return np.log(np.maximum(units, 1)).astype(np.float32)


def squared_error(told: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error (B, N) where the mask is True."""
    return ((told.float() - real).square() * mask).sum() / mask.sum()
