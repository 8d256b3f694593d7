"""What a checkpoint holds: which GPT-SoVITS stage and version, told by its content.

Knows the layouts of the files and nothing of how they are stored or what the layers compute. File
names, sizes and the version a file claims about itself are not believed where its layers tell.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from selftalk.export.checkpoint_pickle import HParams, Ordered, TensorPlace
from selftalk.export.checkpoint_zip import quoted
from selftalk.stream.errors import CheckpointError

MAX_CONFIG_CHARACTERS = 1 << 20
"""Each value counts as at least one character; a genuine config has about 3,000."""
MAX_CONFIG_DEPTH = 16
MAX_TENSORS = 20_000
MAX_NAME_LENGTH = 256

_S1_TEXT = "model.ar_text_embedding.word_embeddings.weight"
_S1_OUTPUT = "model.ar_predict_layer.weight"
_S2_TEXT = "enc_p.text_embedding.weight"
_S2_SPEAKER = "sv_emb.weight"
_S2_FIRST_UPSAMPLING = "dec.ups.0.weight_v"

_S1_VERSIONS = {512: "v1", 732: "v2"}
_S2_VERSIONS = {322: "v1", 732: "v2"}
_TAG_VERSIONS = {"00": "v1", "01": "v2", "05": "v2Pro", "06": "v2ProPlus"}
_LATER_TAGS = {"02": "v3", "03": "v3 (LoRA)", "04": "v4 (LoRA)"}
_PLUS_KERNEL = 20  # samples; the first upsampling of every other version has 16

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A recognised checkpoint, its tensors still undecoded."""

    kind: Literal["s1", "s2", "weights"]
    """s1: phonemes to semantic tokens; s2: tokens to speech; weights: of some other network."""
    version: str
    """s1: v1, v2 (serves v2Pro and v2ProPlus too) or unknown; s2: v1, v2, v2Pro, v2ProPlus."""
    weight: dict[str, TensorPlace]
    config: dict[str, Json]
    info: str
    """What the trainer noted, such as `8epoch_408iteration`."""


def recognise(tag: str, root: object) -> Layout:
    """Tell stage and version of a checkpoint.

    Args:
        tag: the first two bytes of the file, such as `PK` or `05`.
        root: what its pickle describes.

    Raises:
        CheckpointError: it is of another version, another kind of file, or no voice at all.
    """
    if tag in _LATER_TAGS:
        raise _later_version(_LATER_TAGS[tag])
    if not isinstance(root, dict):
        raise CheckpointError("the checkpoint is no GPT-SoVITS voice (it holds no dict)")
    weight = _weight(root)
    config = _config(root.get("config"))
    info = root.get("info", "")
    if not isinstance(info, str):
        raise CheckpointError("the checkpoint's 'info' is no text")
    if _S1_TEXT in weight and _S1_OUTPUT in weight:
        version = _S1_VERSIONS.get(_rows(weight[_S1_TEXT]), "unknown")
        return Layout("s1", version, weight, config, info)
    if any(".lora_" in name for name in weight) or "lora_rank" in root:
        raise _later_version("v3 or v4 (LoRA)")
    if any(name.startswith(("cfm.", "wns1.", "bridge.")) for name in weight):
        raise _later_version("v3 or v4")
    if _S2_TEXT in weight:
        return Layout("s2", _s2_version(tag, weight), weight, config, info)
    if any(name.startswith("discriminators.") for name in weight):
        raise CheckpointError(
            "the checkpoint is a discriminator (s2D), needed for training only; give the s2G file"
        )
    raise CheckpointError("the checkpoint holds neither a GPT (s1) nor a SoVITS (s2) model")


def recognise_weights(tag: str, root: object) -> Layout:
    """Take the tensors of any network: a discriminator, HuBERT, a speaker model.

    Args:
        tag: the first two bytes of the file.
        root: what its pickle describes: a dict of tensors, or one that has it as 'weight'.

    Raises:
        CheckpointError: it is anything else.
    """
    del tag
    if isinstance(root, dict) and "weight" not in root:
        root = {"weight": root}
    if not isinstance(root, dict):
        raise CheckpointError("the file holds no tensors by name")
    return Layout("weights", "unknown", _weight(root), {}, "")


def _later_version(version: str) -> CheckpointError:
    return CheckpointError(
        f"the checkpoint is a GPT-SoVITS {version} voice; v1, v2, v2Pro and v2ProPlus are supported"
    )


def _weight(root: Mapping[object, object]) -> dict[str, TensorPlace]:
    if "weight" not in root:
        if {"optimizer", "optimizer_states"} & root.keys():
            raise CheckpointError(
                "the checkpoint is a training state; give the smaller file that GPT-SoVITS wrote "
                "to its GPT_weights or SoVITS_weights folder"
            )
        raise CheckpointError("the checkpoint is no GPT-SoVITS voice (it has no 'weight')")
    weight = root["weight"]
    if not isinstance(weight, dict) or not 0 < len(weight) <= MAX_TENSORS:
        raise CheckpointError("the checkpoint's 'weight' is no dict of tensors")
    for name, tensor in weight.items():
        if not isinstance(name, str) or not isinstance(tensor, TensorPlace):
            raise CheckpointError("the checkpoint's 'weight' has something that is no tensor")
        # safetensors keeps "__metadata__" for itself, and control characters are never honest.
        if not name.isprintable() or len(name) > MAX_NAME_LENGTH or name.startswith("__"):
            raise CheckpointError(f"the checkpoint has a tensor of the odd name {quoted(name)}")
    return dict(weight)


def _rows(tensor: TensorPlace) -> int:
    return tensor.shape[0] if tensor.shape else 0


def _s2_version(tag: str, weight: Mapping[str, TensorPlace]) -> str:
    symbols = _rows(weight[_S2_TEXT])
    version = _S2_VERSIONS.get(symbols)
    if version is None:
        raise CheckpointError(
            f"the checkpoint knows {symbols} symbols; supported are 322 (v1) and 732 (v2 and later)"
        )
    if version == "v2" and _S2_SPEAKER in weight:
        version = "v2ProPlus" if _is_plus(tag, weight) else "v2Pro"
    if version != _TAG_VERSIONS.get(tag, version):
        raise CheckpointError(
            f"the checkpoint starts with the tag {tag} but has the layers of {version}"
        )
    return version


def _is_plus(tag: str, weight: Mapping[str, TensorPlace]) -> bool:
    if tag != "PK":
        return tag == "06"
    upsampling = weight.get(_S2_FIRST_UPSAMPLING)
    return upsampling is not None and upsampling.shape[-1:] == (_PLUS_KERNEL,)


class _Budget:
    """How much a config may still grow: a text or list used many times would multiply."""

    def __init__(self) -> None:
        self._left = MAX_CONFIG_CHARACTERS

    def spend(self, depth: int, characters: int) -> None:
        self._left -= 1 + characters
        if self._left < 0 or depth > MAX_CONFIG_DEPTH:
            raise CheckpointError("the checkpoint's 'config' is too large or contains itself")


def _config(value: object) -> dict[str, Json]:
    if not isinstance(value, dict | HParams):
        raise CheckpointError("the checkpoint is no GPT-SoVITS voice (it has no 'config')")
    config = _plain(value, 0, _Budget())
    assert isinstance(config, dict), type(config)
    return config


def _plain(value: object, depth: int, budget: _Budget) -> Json:
    """The value as JSON would hold it; HParams become dicts, tuples lists."""
    budget.spend(depth, len(value) if isinstance(value, str) else 0)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1, budget) for item in value]
    if isinstance(value, HParams):
        value = value.attributes
    if isinstance(value, dict | Ordered):
        keys = [_plain(key, depth + 1, budget) for key in value]
        items = [_plain(item, depth + 1, budget) for item in value.values()]
        return {str(key): item for key, item in zip(keys, items, strict=True)}
    raise CheckpointError("the checkpoint's 'config' has a value that is no setting")
