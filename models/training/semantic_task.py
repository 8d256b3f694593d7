"""Stage 1 of the official family: phones → semantic tokens.

Cross entropy over every token and one end token of each item; padding neither counts nor is seen.
With `preferences` the model also learns to prefer what was said to a damaged copy of it (one
stretch repeated or dropped), without a reference model (Rafailov et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.losses import token_loss, token_targets, top_accuracy
from selftalk.models.t2s import Text2Semantic, Utterance
from selftalk.models.training.batches import Batches
from selftalk.models.training.dataset import Recorded
from selftalk.models.training.loop import Run, Schedule
from selftalk.models.training.precision import mixed_precision
from selftalk.models.training.scaled_adam import ScaledAdam
from selftalk.models.training.vocoder_task import padded

MOST_TOKENS = 54 * 25
PHONES_PER_TOKEN = 1 / 2.5
FEWEST_ITEMS = 100  # a smaller set is repeated, so that an epoch is worth its name
PREFERENCE = 0.2


@dataclass(frozen=True)
class SemanticSchedule(Schedule):
    """The official one: a constant rate, four batches a step, clipping by the optimizer."""

    learning_rate: float = 0.002
    betas: tuple[float, float] = (0.9, 0.95)
    accumulate: int = 4

    def rate(self, step: int) -> float:
        """Always the same."""
        del step
        return self.learning_rate


class SemanticTask:
    """See the module."""

    def __init__(
        self,
        model: Text2Semantic,
        train: Sequence[Recorded],
        valid: Sequence[Recorded] = (),
        *,
        batch: int = 4,
        preferences: bool = False,
        device: str = "cpu",
    ) -> None:
        self.model = model.to(device)
        self.train = [item for item in train if fits(item)]
        self.valid = list(valid)
        self.preferences = preferences
        self.device = device
        lengths = [len(item.tokens) for item in self.train]
        self.batches = Batches(lengths, batch, fewest_items=FEWEST_ITEMS)

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """See `Task.loss`."""
        items = [self.train[index] for index in self.batches.at(step)]
        batch = self._collate(items)
        with mixed_precision(self.device):
            logits = self.model([batch])
        loss = token_loss(logits, batch.tokens, batch.token_lengths, self.model.config.end_token)
        counted = float((batch.token_lengths + 1).sum())
        figures = {"tokens": float(loss.detach()) / counted, "top 3": self._hits(logits, batch)}
        if self.preferences:
            preferred = self._preference(logits, batch, items, step)
            loss = loss + preferred
            figures["preference"] = float(preferred.detach())
        return loss, figures

    @torch.no_grad()
    def validate(self, model: nn.Module) -> dict[str, float]:
        """See `Task.validate`."""
        assert isinstance(model, Text2Semantic), type(model)
        total = counted = 0.0
        for item in self.valid:
            batch = self._collate([item])
            end = model.config.end_token
            total += float(token_loss(model([batch]), batch.tokens, batch.token_lengths, end))
            counted += len(item.tokens) + 1
        return {"tokens": total / counted} if counted else {}

    def _hits(self, logits: Tensor, batch: Utterance) -> float:
        targets = token_targets(batch.tokens, batch.token_lengths, self.model.config.end_token)
        index = torch.arange(targets.shape[1], device=targets.device)
        targets = targets.where(index <= batch.token_lengths[:, None], -1)
        return float(top_accuracy(logits.detach(), targets, ignore=-1))

    def _preference(
        self, logits: Tensor, batch: Utterance, items: Sequence[Recorded], step: int
    ) -> Tensor:
        generator = np.random.default_rng((12, step))
        damaged = [damage(item.tokens, generator) for item in items]
        worse = self._collate(items, damaged)
        with mixed_precision(self.device):
            worse_logits = self.model([worse])
        end = self.model.config.end_token
        chosen = sequence_scores(logits, batch, end)
        rejected = sequence_scores(worse_logits, worse, end)
        return -F.logsigmoid(PREFERENCE * (chosen - rejected)).sum()

    def _collate(
        self, items: Sequence[Recorded], tokens: Sequence[np.ndarray] | None = None
    ) -> Utterance:
        said = [item.tokens for item in items] if tokens is None else tokens
        bert = None
        if any(item.bert is not None for item in items):
            width = self.model.config.bert_width
            rows = [
                np.zeros((len(item.phones), width), np.float32)
                if item.bert is None
                else item.bert.astype(np.float32)
                for item in items
            ]
            bert = stacked(rows).to(self.device)
        phones, lengths = stacked([item.phones for item in items]), [len(i.phones) for i in items]
        return Utterance(
            phones.to(self.device),
            torch.tensor(lengths, device=self.device),
            stacked(said).to(self.device),
            torch.tensor([len(each) for each in said], device=self.device),
            bert,
        )


class SemanticRun(Run):
    """A run with the optimizer of the official first stage, which clips by itself."""

    def make_optimizer(self) -> torch.optim.Optimizer:
        """See `Run`."""
        schedule = self.schedule
        return ScaledAdam(
            self.task.model.parameters(), schedule.learning_rate, schedule.betas, schedule.epsilon
        )

    def clip(self) -> None:
        """The optimizer does, against the median of recent gradients."""


def fits(item: Recorded) -> bool:
    """Whether the item is of a length that the official model has learnt."""
    return len(item.tokens) <= MOST_TOKENS and len(item.phones) <= MOST_TOKENS * PHONES_PER_TOKEN


def stacked(rows: Sequence[np.ndarray]) -> Tensor:
    """Rows (n, …) of different lengths → (B, longest, …), zeros after each."""
    longest = max(len(row) for row in rows)
    return torch.from_numpy(np.stack([padded(row, longest) for row in rows]))


def damage(tokens: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Repeat or drop one stretch of tokens (T,): what a model without a plan does wrong."""
    start, end = sorted(generator.integers(0, len(tokens) + 1, 2))
    if end == start:
        start, end = 0, len(tokens)
    if generator.random() < 0.5 or end - start == len(tokens):
        return np.concatenate([tokens[:end], tokens[start:]])
    return np.concatenate([tokens[:start], tokens[end:]])


def sequence_scores(logits: Tensor, batch: Utterance, end_token: int) -> Tensor:
    """Log probability of each item's tokens and end: (B,)."""
    targets = token_targets(batch.tokens, batch.token_lengths, end_token)
    each = -F.cross_entropy(logits.transpose(1, 2).float(), targets, reduction="none")
    index = torch.arange(targets.shape[1], device=targets.device)
    return each.where(index <= batch.token_lengths[:, None], 0.0).sum(dim=1)
