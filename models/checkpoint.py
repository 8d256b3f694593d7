"""Official GPT-SoVITS checkpoints → our configurations and state_dict names.

With the tables of `checkpoint_names` the only place that knows foreign names. It receives plain
dictionaries of arrays (what the importer has read safely) and touches no file. Weight norm and
frozen batch norms are folded here: our modules hold plain weights.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from selftalk.models.bert import UNUSED_LAYERS, BertConfig
from selftalk.models.checkpoint_names import (
    BERT_RULES,
    BERT_UNUSED,
    DISCRIMINATOR_RULES,
    HUBERT_RULES,
    HUBERT_UNUSED,
    SOVITS_RULES,
    SOVITS_UNUSED,
    SPEAKER_RULES,
    SPEAKER_UNUSED,
    T2S_RULES,
    WAVENET_RULES,
    Rules,
)
from selftalk.models.discriminator import PERIODS, PERIODS_PRO
from selftalk.models.eres2net import ERes2NetConfig
from selftalk.models.generator import GeneratorConfig
from selftalk.models.hubert import HubertConfig
from selftalk.models.sovits import SovitsConfig
from selftalk.models.t2s import T2SConfig

Arrays = Mapping[str, npt.NDArray[Any] | Tensor]
State = dict[str, Tensor]
BATCH_NORM_EPSILON = 1e-5
MAX_DILATION = 100
"""Samples between the taps of a convolution; official ones have at most 5."""
TEXT_LAYER = re.compile(r"enc_p\.encoder_text\.attn_layers\.\d+\.conv_q\.weight")


def t2s_config(weights: Arrays, config: Mapping[str, Any]) -> T2SConfig:
    """Read the sizes of a stage 1 checkpoint from its tensors; only the heads need its `config`.

    Raises:
        ValueError: the heads do not fit the width.
        KeyError: a tensor or a setting is missing.
    """
    state = t2s_state(weights)
    phones, width = state["phones.weight"].shape
    heads = int(config["model"]["head"])
    if heads < 1 or width % heads:
        raise ValueError(f"a width of {width} cannot be shared by {heads} heads")
    return T2SConfig(
        phones=phones,
        tokens=len(state["tokens.weight"]),
        width=width,
        layers=_count(state, "layers"),
        heads=heads,
        feed_forward=len(state["layers.0.expand.weight"]),
        bert_width=state["bert.weight"].shape[1],
    )


def t2s_state(weights: Arrays) -> State:
    """Rename the tensors of a stage 1 checkpoint for `Text2Semantic`."""
    return _renamed(weights, T2S_RULES)


def sovits_config(weights: Arrays, config: Mapping[str, Any]) -> SovitsConfig:
    """Read the sizes of a stage 2 checkpoint from its tensors, and the rest from its `config`.

    Raises:
        ValueError: the sizes are such as no official checkpoint has, or contradict each other.
        KeyError: a tensor or a setting is missing.
    """
    foreign, sound = config["model"], config.get("data", {})
    shapes = {
        name.replace(".weight_v", ".weight"): tuple(array.shape) for name, array in weights.items()
    }
    symbols, width = shapes["enc_p.text_embedding.weight"]
    codebook, ssl_width = shapes["quantizer.vq.layers.0._codebook.embed"]
    hidden, _, kernel = shapes["enc_p.encoder_text.ffn_layers.0.conv_1.weight"]
    if kernel % 2 == 0:
        raise ValueError(f"convolutions over an even number of frames ({kernel}) are not supported")
    cross_width = shapes["enc_p.mrte.c_pre.weight"][0]
    style_width = shapes["ref_enc.fc.fc.weight"][0]
    has_speaker = "sv_emb.weight" in shapes
    if not has_speaker and style_width != cross_width:
        raise ValueError(f"a style of {style_width} cannot be added to a text of {cross_width}")
    return SovitsConfig(
        symbols=symbols,
        style_bins=shapes["ref_enc.spectral.0.fc.weight"][1],
        style_width=style_width,
        speaker_width=shapes["sv_emb.weight"][1] if has_speaker else 0,
        ssl_width=ssl_width,
        codebook=codebook,
        width=width,
        hidden=hidden,
        heads=width // shapes["enc_p.encoder_text.attn_layers.0.emb_rel_k"][2],
        layers=sum(bool(TEXT_LAYER.fullmatch(name)) for name in shapes),
        kernel=kernel,
        dropout=float(foreign["p_dropout"]),
        cross_width=cross_width,
        latent=shapes["enc_p.proj.weight"][0] // 2,
        discriminator_periods=PERIODS_PRO if has_speaker else PERIODS,
        generator=_generator_config(shapes, foreign),
        sample_rate_hz=int(sound.get("sampling_rate", 32_000)),
        window_samples=int(sound.get("filter_length", 2048)),
    )


def _generator_config(
    shapes: Mapping[str, tuple[int, ...]], foreign: Mapping[str, Any]
) -> GeneratorConfig:
    """Sizes of the generator; only strides and dilations leave no trace in the tensors."""
    if str(foreign.get("resblock", "1")) != "1":
        raise ValueError(f"residual blocks of kind {foreign['resblock']!r} are not supported")
    rates = tuple(foreign["upsample_rates"])
    kernels = tuple(shapes[f"dec.ups.{step}.weight"][2] for step in range(len(rates)))
    if not all(0 < rate <= kernel for rate, kernel in zip(rates, kernels, strict=True)):
        raise ValueError(f"kernels of {kernels} samples cannot upsample by {rates}")
    dilations = tuple(tuple(each) for each in foreign["resblock_dilation_sizes"])
    if not all(0 < dilation <= MAX_DILATION for each in dilations for dilation in each):
        raise ValueError(f"dilations of 1 to {MAX_DILATION} are supported, not {dilations}")
    return GeneratorConfig(
        channels=shapes["dec.conv_pre.weight"][0],
        rates=rates,
        kernels=kernels,
        block_kernels=tuple(
            shapes[f"dec.resblocks.{block}.convs1.0.weight"][2] for block in range(len(dilations))
        ),
        dilations=dilations,
    )


def sovits_state(weights: Arrays) -> State:
    """Rename the tensors of a stage 2 checkpoint for `Sovits`."""
    needed = {
        name: array
        for name, array in weights.items()
        if not name.startswith("enc_q.") and not SOVITS_UNUSED.match(name)
    }
    return _numbered(_renamed(needed, SOVITS_RULES))


def posterior_state(weights: Arrays) -> State:
    """Rename the tensors that fine-tuned checkpoints lack for `PosteriorEncoder`."""
    needed = {name: array for name, array in weights.items() if name.startswith("enc_q.")}
    state = _renamed(needed, WAVENET_RULES)
    return {name.removeprefix("enc_q."): tensor for name, tensor in state.items()}


def discriminator_state(weights: Arrays) -> State:
    """Rename the tensors of a discriminator checkpoint for `Discriminators`."""
    return _renamed(weights, DISCRIMINATOR_RULES)


def t2s_weights(state: State, base: Arrays) -> State:
    """What `t2s_state` was made of, with the values of a state that was trained since."""
    return _undone(t2s_state, state, base)


def sovits_weights(state: State, base: Arrays) -> State:
    """What `sovits_state` was made of, with the values of a state that was trained since.

    Weight norm stays folded and the posterior encoder is left out, as it is in the small files of
    the official training. What only the codebook's training needs is kept as it was.
    """
    kept = {name: torch.as_tensor(base[name]) for name in base if SOVITS_UNUSED.match(name)}
    needed = {name: array for name, array in base.items() if not name.startswith("enc_q.")}
    return kept | _undone(sovits_state, state, {n: a for n, a in needed.items() if n not in kept})


def speaker_config(weights: Arrays) -> ERes2NetConfig:
    """Read the sizes of the official speaker model (ERes2NetV2) from its tensors."""
    shapes = {name: tuple(array.shape) for name, array in weights.items()}
    stages = range(1, 1 + sum(f"layer{n}.0.conv1.weight" in shapes for n in range(1, 9)))
    channels, width = shapes["conv1.weight"][0], shapes["layer1.0.convs.0.weight"][0]
    return ERes2NetConfig(
        channels=channels,
        blocks=tuple(
            sum(bool(re.fullmatch(rf"layer{n}\.\d+\.conv1\.weight", name)) for name in shapes)
            for n in stages
        ),
        base_width=64 * width // channels,
        branches=shapes["layer1.0.conv1.weight"][0] // width,
        expansion=shapes["layer1.0.conv3.weight"][0] // channels,
        fused_stages=sum(f"layer{n}.0.fuse_models.0.local_att.0.weight" in shapes for n in stages),
    )


def speaker_state(weights: Arrays) -> State:
    """Rename the tensors of the official speaker model for `ERes2Net`, without batch norms."""
    needed = {name: each for name, each in weights.items() if not SPEAKER_UNUSED.search(name)}
    state = _without_batch_norm(_renamed(needed, SPEAKER_RULES))
    return {
        re.sub(r"^stages\.(\d)", lambda match: f"stages.{int(match[1]) - 1}", name): tensor
        for name, tensor in state.items()
    }


def hubert_config(config: Mapping[str, Any]) -> HubertConfig:
    """Read the sizes of a HuBERT from the `config.json` of its `transformers` folder.

    Raises:
        ValueError: it is of the kind of the large models, which no official checkpoint uses.
    """
    if config.get("do_stable_layer_norm") or config.get("feat_extract_norm", "group") != "group":
        raise ValueError("this HuBERT is of the large kind; chinese-hubert-base is needed")
    channels = set(config["conv_dim"])
    return HubertConfig(
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        feed_forward=config["intermediate_size"],
        conv_channels=channels.pop(),
        conv_kernels=tuple(config["conv_kernel"]),
        conv_strides=tuple(config["conv_stride"]),
        position_kernel=config["num_conv_pos_embeddings"],
        position_groups=config["num_conv_pos_embedding_groups"],
        norm_epsilon=config.get("layer_norm_eps", 1e-5),
    )


def hubert_state(weights: Arrays) -> State:
    """Rename the tensors of a `transformers` HuBERT for `Hubert`."""
    needed = {name: each for name, each in weights.items() if not HUBERT_UNUSED.search(name)}
    return _renamed(needed, HUBERT_RULES)


def bert_config(config: Mapping[str, Any]) -> BertConfig:
    """Read the sizes of a BERT from the `config.json` of its `transformers` folder.

    Raises:
        ValueError: it is of another kind.
    """
    if config.get("model_type", "bert") != "bert" or config.get("hidden_act", "gelu") != "gelu":
        raise ValueError("it is no BERT; chinese-roberta-wwm-ext-large is needed")
    return BertConfig(
        vocabulary=config["vocab_size"],
        width=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        feed_forward=config["intermediate_size"],
        positions=config["max_position_embeddings"],
        norm_epsilon=config.get("layer_norm_eps", 1e-12),
    )


def bert_state(weights: Arrays, layers: int) -> State:
    """Rename the tensors of a `transformers` BERT of so many layers for `Bert`."""
    last = tuple(f"layers.{layers - 1 - index}." for index in range(UNUSED_LAYERS))
    needed = {name: each for name, each in weights.items() if not BERT_UNUSED.search(name)}
    state = _renamed(needed, BERT_RULES)
    return {name: tensor for name, tensor in state.items() if not name.startswith(last)}


def load_state(module: nn.Module, state: State) -> None:
    """Load a renamed state; a 1x1 convolution may become a linear layer.

    The tensors are taken over, not copied, so the module may have been made on the meta device.

    Raises:
        ValueError: a tensor is missing, unknown, or of another shape.
    """
    own = module.state_dict()
    if missing := sorted(own.keys() - state.keys()):
        raise ValueError(f"the checkpoint lacks {_some(missing)}")
    if unknown := sorted(state.keys() - own.keys()):
        raise ValueError(f"the checkpoint has more than {type(module).__name__}: {_some(unknown)}")
    for name, target in own.items():
        if _squeezed(state[name].shape) != _squeezed(target.shape):
            raise ValueError(
                f"'{name}' has the shape {tuple(state[name].shape)}, not {tuple(target.shape)}"
            )
    fitting = {name: state[name].reshape(own[name].shape) for name in own}
    module.load_state_dict(fitting, assign=True)


def _renamed(weights: Arrays, rules: Rules) -> State:
    """Apply every rule to every name, in order, and fold weight norm."""
    state = {}
    for foreign, array in weights.items():
        name = foreign
        for pattern, ours in rules:
            name = re.sub(pattern, ours, name)
        state[name] = (array if isinstance(array, Tensor) else torch.tensor(array)).float()
    return _folded(state)


def _undone(convert: Callable[[Arrays], State], state: State, base: Arrays) -> State:
    """Undo a conversion: the tensors of `state` under their names in `base`, shaped like there."""
    shapes = {
        name.removesuffix("_v") if name.endswith("weight_v") else name: tuple(array.shape)
        for name, array in base.items()
        if not name.endswith("weight_g")
    }
    foreign = list(shapes)
    numbers = {
        name: torch.full([1] * len(shapes[name]), float(number))
        for number, name in enumerate(foreign)
    }
    named = {ours: foreign[int(number)] for ours, number in convert(numbers).items()}
    # The conversion also mirrors the channels of some; done once more, it undoes that.
    mirrored = convert({name: state[ours].reshape(shapes[name]) for ours, name in named.items()})
    return {name: mirrored[ours].contiguous() for ours, name in named.items()}


def _numbered(state: State) -> State:
    """Number couplings and residual blocks our way.

    The official flow reverses the channels after each coupling; ours never does, so that every
    second coupling has its channels in reverse.
    """
    blocks_at_once = _parallel_blocks(state)
    numbered = {}
    for name, tensor in state.items():
        if match := re.match(r"flow\.flows\.(\d+)\.(.+)", name):
            index, rest = int(match[1]) // 2, match[2]
            if index % 2 and rest == "enter.weight":
                tensor = tensor.flip(1)
            elif index % 2 and rest.startswith("leave."):
                tensor = tensor.flip(0)
            name = f"flow.couplings.{index}.{rest}"
        elif match := re.match(r"generator\.resblocks\.(\d+)\.(.+)", name):
            step, block = divmod(int(match[1]), blocks_at_once)
            name = f"generator.blocks.{step}.blocks.{block}.{match[2]}"
        numbered[name] = tensor
    return numbered


def _parallel_blocks(state: State) -> int:
    """Residual blocks after each upsampling."""
    blocks = {name.split(".")[2] for name in state if name.startswith("generator.resblocks.")}
    steps = {name.split(".")[2] for name in state if name.startswith("generator.upsamplings.")}
    return len(blocks) // len(steps)


def _folded(state: State) -> State:
    """Replace each pair (gain, direction) of weight norm by the weight it stands for."""
    folded = {}
    for name, tensor in state.items():
        if name.endswith("weight_g"):
            continue
        if name.endswith("weight_v"):
            gain = state[name[:-1] + "g"]
            shared = [index for index, size in enumerate(gain.shape) if size == 1]
            norm = tensor.square().sum(dim=shared, keepdim=True).sqrt()
            folded[name.removesuffix("_v")] = tensor * (gain / norm)
        else:
            folded[name] = tensor
    return folded


def _without_batch_norm(state: State) -> State:
    """Fold what every `X.norm` does in inference into the convolution `X`."""
    folded = {name: tensor for name, tensor in state.items() if ".norm." not in name}
    for name, gain in state.items():
        if not name.endswith(".norm.weight"):
            continue
        conv = name.removesuffix(".norm.weight")
        mean, variance = (state[f"{conv}.norm.running_{part}"] for part in ("mean", "var"))
        scale = gain / (variance + BATCH_NORM_EPSILON).sqrt()
        weight = state[f"{conv}.weight"]
        bias = state.get(f"{conv}.bias", torch.zeros_like(mean))
        folded[f"{conv}.weight"] = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        folded[f"{conv}.bias"] = (bias - mean) * scale + state[f"{conv}.norm.bias"]
    return folded


def _count(state: State, prefix: str) -> int:
    """Number of entries in the module list `prefix`."""
    return len({name.split(".")[1] for name in state if name.startswith(f"{prefix}.")})


def _squeezed(shape: torch.Size) -> list[int]:
    return [size for size in shape if size != 1]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in names[:3]) + more
