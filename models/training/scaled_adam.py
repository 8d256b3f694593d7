"""ScaledAdam: Adam whose step is a share of each parameter's size, and that learns the size too.

After Yao et al. 2023, "Zipformer: A faster and better encoder for automatic speech recognition".
The official first stage is trained with it. Gradients are clipped against the median of recent
ones, so that no fixed limit has to be guessed. Knows nothing about schedules.
"""

import statistics
from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor

SMALLEST_SIZE = 1e-5
LARGEST_SIZE = 3.0
SIZE_RATE = 0.1  # how fast sizes are learnt, against directions
REMEMBERED_NORMS = 100
FEWEST_NORMS = 10  # before that many there is no median to speak of


class ScaledAdam(torch.optim.Optimizer):
    """One group of parameters; see the module."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.002,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        clipping_scale: float = 2.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "clipping_scale": clipping_scale}
        super().__init__(parameters, {**defaults, "recent_norms": []})

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Change every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            having = [each for each in group["params"] if each.grad is not None]
            clip = self._clip(group, having)
            for parameter in having:
                self._change(parameter, parameter.grad * clip, group)
        return loss

    def _clip(self, group: dict[str, Any], having: list[Tensor]) -> float:
        """What to multiply gradients by, so that none is far larger than the recent ones."""
        squares = [
            (each.grad * size_of(each)).square().sum() for each in having if each.grad is not None
        ]
        norm = float(torch.stack(squares).sum().sqrt()) if squares else 0.0
        recent: list[float] = group["recent_norms"]
        factor = 1.0
        if len(recent) >= FEWEST_NORMS:
            limit = group["clipping_scale"] * statistics.median(recent)
            factor = min(1.0, limit / (norm + 1e-20))
        recent.append(norm)
        del recent[:-REMEMBERED_NORMS]
        return factor

    def _change(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            for name, like in (("mean", parameter), ("square", parameter)):
                state[name] = torch.zeros_like(like)
            state["size_mean"] = parameter.new_zeros(())
            state["size_square"] = parameter.new_zeros(())
        state["step"] += 1
        size = size_of(parameter)
        direction = self._adam(state, "", gradient, group)
        if parameter.numel() == 1:  # a scalar has no direction; its size is its value
            parameter.sub_(SIZE_RATE * group["lr"] * direction)
            return
        growth = self._adam(state, "size_", (gradient * parameter).sum(), group)
        change = size * direction + SIZE_RATE * growth * parameter
        if size >= LARGEST_SIZE:
            change = change + SIZE_RATE * parameter
        parameter.sub_(group["lr"] * change)

    def _adam(
        self, state: dict[str, Any], prefix: str, gradient: Tensor, group: dict[str, Any]
    ) -> Tensor:
        """Adam's step for a gradient, of about unit size."""
        beta1, beta2 = group["betas"]
        mean, square = state[f"{prefix}mean"], state[f"{prefix}square"]
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        unbiased = square / (1 - beta2 ** state["step"])
        return mean / (1 - beta1 ** state["step"]) / (unbiased.sqrt() + group["eps"])


def size_of(parameter: Tensor) -> Tensor:
    """Root mean square of a parameter, within limits."""
    return parameter.square().mean().sqrt().clamp(SMALLEST_SIZE, LARGEST_SIZE)
