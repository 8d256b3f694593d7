"""One training loop for every stage: schedule, averaging, checkpoints, log.

A task says what a step is; the loop knows nothing about speech. Everything random in a step is
drawn from its number, so that a run that was killed goes on as if nothing had happened: the
checkpoint holds weights, averages, optimizer and step, and is replaced atomically.
"""

import csv
import math
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

Tensors = tuple[Tensor, ...] | list[Tensor]


Watch = Callable[[int, int, dict[str, float]], None]
"""Told after every step: steps done, steps in all, and the figures of the step."""


class Task(Protocol):
    """What is trained, and how one step of it is scored."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""
        ...

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of a step, all of whose randomness comes from its number, and figures."""
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures on data that is never trained on."""
        ...


@dataclass(frozen=True)
class Schedule:
    """Length and speed of a run."""

    steps: int
    learning_rate: float
    warmup_steps: int = 100
    final_fraction: float = 0.05
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-8
    clip_norm: float = 5.0
    accumulate: int = 1
    """Batches whose gradients make one step."""
    averaging: float = 0.999
    save_every_seconds: float = 300.0
    report_every_steps: int = 50
    validate_every_steps: int = 250

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then half a cosine."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        progress = min(1.0, step / max(1, self.steps))
        cosine = 0.5 + 0.5 * math.cos(math.pi * progress)
        return (
            self.learning_rate * warm * (self.final_fraction + (1 - self.final_fraction) * cosine)
        )


class Run:
    """A training run in a folder: `last.pt`, `log.csv`, and `model.safetensors` at the end."""

    def __init__(
        self, task: Task, schedule: Schedule, folder: Path, watch: Watch | None = None
    ) -> None:
        self.task = task
        self.schedule = schedule
        self.folder = folder
        self.watch = watch
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.optimizer = self.make_optimizer()
        self.average = torch.optim.swa_utils.AveragedModel(
            task.model, multi_avg_fn=averaging(schedule.averaging)
        )
        if (folder / "last.pt").exists():
            self.restore(torch.load(folder / "last.pt", weights_only=True, map_location="cpu"))

    def make_optimizer(self) -> torch.optim.Optimizer:
        """The optimizer of the task's model; a group's `rate_scale` multiplies the schedule."""
        return torch.optim.AdamW(
            self.task.model.parameters(),
            lr=self.schedule.learning_rate,
            betas=self.schedule.betas,
            eps=self.schedule.epsilon,
            weight_decay=self.schedule.weight_decay,
        )

    def fit(self, max_minutes: float = math.inf) -> None:
        """Train to the last step, or until the minutes are over; save either way."""
        started = saved = time.monotonic()
        figures: list[dict[str, float]] = []
        while self.step < self.schedule.steps and time.monotonic() - started < 60 * max_minutes:
            figures.append(self._one_step())
            if self.step % self.schedule.report_every_steps == 0:
                self._report("train", mean_of(figures), started)
                figures.clear()
            if self.step % self.schedule.validate_every_steps == 0:
                self._report("valid", self.validate(), started)
            if time.monotonic() - saved > self.schedule.save_every_seconds:
                self.save()
                saved = time.monotonic()
        self.save()

    def validate(self) -> dict[str, float]:
        """Figures of the averaged weights on held-out data."""
        self.average.eval()
        with torch.no_grad():
            return self.task.validate(self.average.module)

    def save(self) -> None:
        """Write the checkpoint, replacing the old one only when the new one is complete."""
        temporary = self.folder / "last.pt.tmp"
        with temporary.open("wb") as file:
            torch.save(self.state(), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / "last.pt")

    def state(self) -> dict[str, Any]:
        """All that a run needs to go on; what does not learn, the task brings again."""
        return {
            "model": learning_state(self.task.model),
            "average": learning_state(self.average),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has given."""
        self.task.model.load_state_dict(frozen(self.task.model) | state["model"])
        self.average.load_state_dict(frozen(self.average) | state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def _one_step(self) -> dict[str, float]:
        self.task.model.train()
        torch.manual_seed(self.step)  # dropout and noise of this step
        figures = self.descend(self.schedule.rate(self.step))
        self.average.update_parameters(self.task.model)
        self.step += 1
        if self.watch is not None:
            self.watch(self.step, self.schedule.steps, figures)
        return figures

    def descend(self, rate: float) -> dict[str, float]:
        """Change the weights by one step at a learning rate; return its figures."""
        self.optimizer.zero_grad()
        figures = []
        for part in range(self.schedule.accumulate):
            loss, told = self.task.loss(self.step * self.schedule.accumulate + part)
            loss.backward()
            figures.append(told)
        self.clip()
        set_rate(self.optimizer, rate)
        self.optimizer.step()
        return mean_of(figures)

    def clip(self) -> None:
        """Shorten a gradient that is too long."""
        nn.utils.clip_grad_norm_(self.task.model.parameters(), self.schedule.clip_norm)

    def _report(self, kind: str, figures: dict[str, float], started: float) -> None:
        minutes = (time.monotonic() - started) / 60
        row = {"kind": kind, "step": str(self.step), "minutes": f"{minutes:.1f}"}
        row |= {name: f"{value:.4f}" for name, value in figures.items()}
        with (self.folder / f"{kind}.csv").open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
        if self.watch is None:  # else it is shown as it goes
            print(" ".join(f"{name} {value}" for name, value in row.items()), flush=True)  # noqa: T201


def frozen(module: nn.Module) -> dict[str, Tensor]:
    """The parameters that are not trained, by name."""
    return {
        name: value.detach() for name, value in module.named_parameters() if not value.requires_grad
    }


def learning_state(module: nn.Module) -> dict[str, Tensor]:
    """The state of a module but for its frozen parameters."""
    left_out = frozen(module)
    return {name: value for name, value in module.state_dict().items() if name not in left_out}


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group, in its own proportion."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("rate_scale", 1.0)


def averaging(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """An exponential moving average that is short at first, so that it forgets the beginning."""

    @torch.no_grad()
    def update(average: Tensors, current: Tensors, updates: Tensor | int) -> None:
        count = int(updates)
        weight = 1 - min(decay, (1 + count) / (10 + count))
        torch._foreach_lerp_(average, current, weight)

    return update


def mean_of(figures: Iterable[dict[str, float]]) -> dict[str, float]:
    """Average each named figure."""
    collected: dict[str, list[float]] = {}
    for row in figures:
        for name, value in row.items():
            collected.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in collected.items()}
