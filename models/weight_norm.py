"""Weight norm as a matter of training.

Our modules hold plain weights, so that inference and export see nothing else. A layer marked with
`normed` is split into gain and direction by `attach` before training and joined again by `fold`.
"""

from typing import TypeVar

from torch import nn
from torch.nn.utils import parametrizations, parametrize

Layer = TypeVar("Layer", bound=nn.Module)


def normed(layer: Layer) -> Layer:
    """Mark a layer to be trained with weight norm."""
    layer.trains_with_weight_norm = True  # type: ignore[assignment]
    return layer


def attach(module: nn.Module) -> None:
    """Split the weights of all marked layers for training; what they compute stays the same."""
    for layer in list(module.modules()):
        if getattr(layer, "trains_with_weight_norm", False) and not parametrize.is_parametrized(
            layer
        ):
            parametrizations.weight_norm(layer)


def fold(module: nn.Module) -> None:
    """Join what `attach` has split."""
    for layer in list(module.modules()):
        if getattr(layer, "trains_with_weight_norm", False) and parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
