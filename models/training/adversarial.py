"""A run against judges: generator and discriminators change in turn, each with its optimizer.

The rest (schedule, averaging, checkpoints, log) is that of `loop.Run`. Knows nothing about speech.
"""

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from selftalk.models.training.loop import Run, Task, set_rate


class AdversarialTask(Task, Protocol):
    """A task whose steps are judged."""

    @property
    def judges(self) -> nn.Module:
        """The discriminators."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The model's parameters; a group's `rate_scale` multiplies the learning rate."""
        ...

    def generate(self, step: int) -> tuple[Any, Tensor, Tensor]:
        """What the losses need, real speech (B, S) and generated speech (B, S)."""
        ...

    def judges_loss(self, real: Tensor, made: Tensor) -> Tensor:
        """How wrong the judges are; `made` has no gradient."""
        ...

    def model_loss(
        self, made_of: Any, real: Tensor, made: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """How far the generated speech is from real speech, judged and measured; figures."""
        ...


class AdversarialRun(Run):
    """See the module."""

    task: AdversarialTask

    def make_optimizer(self) -> torch.optim.Optimizer:
        """See `Run`; makes that of the judges too."""
        self.judges_optimizer = self._adamw([{"params": list(self.task.judges.parameters())}])
        return self._adamw(self.task.parameter_groups())

    def _adamw(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        schedule = self.schedule
        return torch.optim.AdamW(
            groups,
            lr=schedule.learning_rate,
            betas=schedule.betas,
            eps=schedule.epsilon,
            weight_decay=schedule.weight_decay,
        )

    def state(self) -> dict[str, Any]:
        """See `Run`."""
        return super().state() | {
            "judges": self.task.judges.state_dict(),
            "judges_optimizer": self.judges_optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """See `Run`."""
        super().restore(state)
        self.task.judges.load_state_dict(state["judges"])
        self.judges_optimizer.load_state_dict(state["judges_optimizer"])

    def descend(self, rate: float) -> dict[str, float]:
        """First the judges learn from what the model makes, then the model from them."""
        made_of, real, made = self.task.generate(self.step)
        self.judges_optimizer.zero_grad()
        judged = self.task.judges_loss(real, made.detach())
        judged.backward()
        set_rate(self.judges_optimizer, rate)
        self.judges_optimizer.step()
        self.optimizer.zero_grad()
        loss, figures = self.task.model_loss(made_of, real, made)
        loss.backward()
        set_rate(self.optimizer, rate)
        self.optimizer.step()
        return {**figures, "judges": float(judged.detach())}
