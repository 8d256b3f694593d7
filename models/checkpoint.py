"""Official GPT-SoVITS checkpoints → our configurations and state_dict names.

The only place that knows foreign names. It receives plain dictionaries of arrays (what the importer
has read safely) and touches no file. Weight norm is folded here: our modules hold plain weights.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from selftalk.models.t2s import T2SConfig

Arrays = Mapping[str, npt.NDArray[Any] | Tensor]
State = dict[str, Tensor]
Rules = tuple[tuple[str, str], ...]

T2S_RULES: Rules = (
    (r"model\.", ""),
    (r"ar_text_embedding\.word_embeddings", "phones"),
    (r"ar_audio_embedding\.word_embeddings", "tokens"),
    (r"ar_text_position\.alpha", "text_positions.scale"),
    (r"ar_audio_position\.alpha", "audio_positions.scale"),
    (r"ar_predict_layer", "head"),
    (r"bert_proj", "bert"),
    (r"h\.layers", "layers"),
    (r"self_attn\.in_proj_", "attention.qkv."),
    (r"self_attn\.out_proj", "attention.out"),
    (r"linear1", "expand"),
    (r"linear2", "contract"),
    (r"norm1", "attention_norm"),
    (r"norm2", "feed_norm"),
)


def t2s_config(weights: Arrays, config: Mapping[str, Any]) -> T2SConfig:
    """Read the sizes of a stage 1 checkpoint from its tensors; only the heads need its `config`."""
    state = t2s_state(weights)
    phones, width = state["phones.weight"].shape
    return T2SConfig(
        phones=phones,
        tokens=len(state["tokens.weight"]),
        width=width,
        layers=_count(state, "layers"),
        heads=int(config["model"]["head"]),
        feed_forward=len(state["layers.0.expand.weight"]),
        bert_width=state["bert.weight"].shape[1],
    )


def t2s_state(weights: Arrays) -> State:
    """Rename the tensors of a stage 1 checkpoint for `Text2Semantic`."""
    return _renamed(weights, T2S_RULES)


def load_state(module: nn.Module, state: State) -> None:
    """Load a renamed state; a 1x1 convolution may become a linear layer.

    Raises:
        KeyError: a tensor is missing or unknown.
        ValueError: a tensor has another shape.
    """
    own = module.state_dict()
    if missing := sorted(own.keys() - state.keys()):
        raise KeyError(f"the checkpoint lacks {_some(missing)}")
    if unknown := sorted(state.keys() - own.keys()):
        raise KeyError(f"the checkpoint has more than {type(module).__name__}: {_some(unknown)}")
    for name, target in own.items():
        if _squeezed(state[name].shape) != _squeezed(target.shape):
            raise ValueError(
                f"'{name}' has the shape {tuple(state[name].shape)}, not {tuple(target.shape)}"
            )
    module.load_state_dict({name: state[name].reshape(own[name].shape) for name in own})


def _renamed(weights: Arrays, rules: Rules) -> State:
    """Apply every rule to every name, in order, and fold weight norm."""
    state = {}
    for foreign, array in weights.items():
        name = foreign
        for pattern, ours in rules:
            name = re.sub(pattern, ours, name)
        state[name] = torch.as_tensor(array).float()
    return _folded(state)


def _folded(state: State) -> State:
    """Replace each pair (gain, direction) of weight norm by the weight it stands for."""
    folded = {}
    for name, tensor in state.items():
        if name.endswith("weight_g"):
            continue
        if name.endswith("weight_v"):
            gain = state[name[:-1] + "g"]
            norm = tensor.flatten(1).norm(dim=1).reshape(gain.shape)
            folded[name.removesuffix("_v")] = tensor * (gain / norm)
        else:
            folded[name] = tensor
    return folded


def _count(state: State, prefix: str) -> int:
    """Number of entries in the module list `prefix`."""
    return len({name.split(".")[1] for name in state if name.startswith(f"{prefix}.")})


def _squeezed(shape: torch.Size) -> list[int]:
    return [size for size in shape if size != 1]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in names[:3]) + more
