"""A GPT-SoVITS checkpoint of full size and random weights, in the official layout: nobody's voice.

    python benchmarks/random_checkpoint.py FOLDER                 S1.ckpt and S2.pth of v2
    python benchmarks/random_checkpoint.py FOLDER --version v1    or v2Pro, with a speaker model
    python benchmarks/random_checkpoint.py FOLDER --speak         import, export, speak; measured

The computation is exactly that of a trained voice; what is said is noise. The row of the end token
is zero, so speech ends by chance or at the cap of the runtime.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

LAYERS, WIDTH, TOKENS, BERT = 24, 512, 1025, 1024
RATES = (10, 8, 2, 2, 2)
SPEAKER_BLOCKS = (3, 4, 6, 3)
SPEAKER_WIDTH = 20_480
SPEAKER_FILE = "pretrained_eres2netv2w24s4ep4.ckpt"
TEXT = "Good morning. How are you today?"

Shapes = Iterator[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Version:
    """In what the versions differ."""

    name: str
    tag: bytes = b"PK"
    phones: int = 732
    symbols: int = 732
    style_bins: int = 704
    style: int = 512
    channels: int = 512
    kernels: tuple[int, ...] = (16, 16, 8, 2, 2)
    dropout: float = 0.1
    has_speaker: bool = False


VERSIONS = {
    version.name: version
    for version in (
        Version("v1", phones=512, symbols=322, style_bins=1025),
        Version("v2"),
        Version("v2Pro", b"05", style=1024, dropout=0.0, has_speaker=True),
        Version(
            "v2ProPlus", b"06", style=1024, channels=768, kernels=(20, 16, 8, 2, 2), dropout=0.0,
            has_speaker=True,
        ),
    )
}  # fmt: skip


def linear(name: str, out: int, into: int, *kernel: int) -> Shapes:
    """A weight and its bias."""
    yield f"{name}.weight", (out, into, *kernel)
    yield f"{name}.bias", (out,)


def normed(name: str, out: int, into: int, kernel: int, bias: int | None = None) -> Shapes:
    """A convolution with weight norm."""
    yield f"{name}.bias", (bias or out,)
    yield f"{name}.weight_g", (out, 1, 1)
    yield f"{name}.weight_v", (out, into, kernel)


def s1_shapes(version: Version) -> Shapes:
    """Names and shapes of the first stage."""
    yield from linear("model.bert_proj", WIDTH, BERT)
    yield "model.ar_text_embedding.word_embeddings.weight", (version.phones, WIDTH)
    yield "model.ar_text_position.alpha", (1,)
    yield "model.ar_audio_embedding.word_embeddings.weight", (TOKENS, WIDTH)
    yield "model.ar_audio_position.alpha", (1,)
    for layer in range(LAYERS):
        at = f"model.h.layers.{layer}"
        yield f"{at}.self_attn.in_proj_weight", (3 * WIDTH, WIDTH)
        yield f"{at}.self_attn.in_proj_bias", (3 * WIDTH,)
        yield from linear(f"{at}.self_attn.out_proj", WIDTH, WIDTH)
        yield from linear(f"{at}.linear1", 4 * WIDTH, WIDTH)
        yield from linear(f"{at}.linear2", WIDTH, 4 * WIDTH)
        for norm in ("norm1", "norm2"):
            yield f"{at}.{norm}.weight", (WIDTH,)
            yield f"{at}.{norm}.bias", (WIDTH,)
    yield "model.ar_predict_layer.weight", (TOKENS, WIDTH)


def encoder(name: str, layers: int, width: int = 192, hidden: int = 768) -> Shapes:
    """A transformer of the text encoder."""
    for layer in range(layers):
        for part in ("emb_rel_k", "emb_rel_v"):
            yield f"{name}.attn_layers.{layer}.{part}", (1, 9, width // 2)
        for part in "qkvo":
            yield from linear(f"{name}.attn_layers.{layer}.conv_{part}", width, width, 1)
        for norm in ("norm_layers_1", "norm_layers_2"):
            yield f"{name}.{norm}.{layer}.gamma", (width,)
            yield f"{name}.{norm}.{layer}.beta", (width,)
        yield from linear(f"{name}.ffn_layers.{layer}.conv_1", hidden, width, 3)
        yield from linear(f"{name}.ffn_layers.{layer}.conv_2", width, hidden, 3)


def text_encoder(symbols: int) -> Shapes:
    """Everything called `enc_p`."""
    yield from linear("enc_p.ssl_proj", 192, 768, 1)
    yield from encoder("enc_p.encoder_ssl", 3)
    yield from encoder("enc_p.encoder_text", 6)
    yield "enc_p.text_embedding.weight", (symbols, 192)
    for part in "qkvo":
        yield from linear(f"enc_p.mrte.cross_attention.conv_{part}", 512, 512, 1)
    for name, out, into in (("c_pre", 512, 192), ("text_pre", 512, 192), ("c_post", 192, 512)):
        yield from linear(f"enc_p.mrte.{name}", out, into, 1)
    yield from encoder("enc_p.encoder2", 3)
    yield from linear("enc_p.proj", 384, 192, 1)


def generator(channels: int, kernels: tuple[int, ...], style: int) -> Shapes:
    """Everything called `dec`."""
    yield from linear("dec.conv_pre", channels, 192, 7)
    yield from linear("dec.cond", channels, style, 1)
    for step, kernel in enumerate(kernels):
        half = channels // 2
        yield from normed(f"dec.ups.{step}", channels, half, kernel, bias=half)
        channels = half
        for block, width in enumerate((3, 7, 11)):
            for conv in range(3):
                at = f"dec.resblocks.{3 * step + block}"
                yield from normed(f"{at}.convs1.{conv}", channels, channels, width)
                yield from normed(f"{at}.convs2.{conv}", channels, channels, width)
    yield "dec.conv_post.weight", (1, channels, 7)


def flow(style: int) -> Shapes:
    """Everything called `flow`."""
    for index in range(4):
        at = f"flow.flows.{2 * index}"
        yield from linear(f"{at}.pre", 192, 96, 1)
        for layer in range(4):
            yield from normed(f"{at}.enc.in_layers.{layer}", 384, 192, 5)
            out = 384 if layer < 3 else 192
            yield from normed(f"{at}.enc.res_skip_layers.{layer}", out, 192, 1)
        yield from normed(f"{at}.enc.cond_layer", 384 * 4, style, 1)
        yield from linear(f"{at}.post", 96, 192, 1)


def style_encoder(bins: int, style: int) -> Shapes:
    """Everything called `ref_enc`."""
    yield from linear("ref_enc.spectral.0.fc", 128, bins)
    yield from linear("ref_enc.spectral.3.fc", 128, 128)
    for index in range(2):
        yield from linear(f"ref_enc.temporal.{index}.conv1.conv", 256, 128, 5)
    for part in ("w_qs", "w_ks", "w_vs", "fc"):
        yield from linear(f"ref_enc.slf_attn.{part}", 128, 128)
    yield from linear("ref_enc.fc.fc", style, 128)


def s2_shapes(version: Version) -> Shapes:
    """Names and shapes of the second stage."""
    yield from text_encoder(version.symbols)
    yield from generator(version.channels, version.kernels, version.style)
    yield from flow(version.style)
    yield from style_encoder(version.style_bins, version.style)
    yield from linear("ssl_proj", 768, 768, 2)
    book = "quantizer.vq.layers.0._codebook"
    yield f"{book}.inited", (1,)
    yield f"{book}.cluster_size", (1024,)
    yield f"{book}.embed", (1024, 768)
    yield f"{book}.embed_avg", (1024, 768)
    if version.has_speaker:
        yield from linear("sv_emb", version.style, SPEAKER_WIDTH)
        yield from linear("ge_to512", 512, version.style)
        yield "prelu.weight", (version.style,)


def batch_norm(name: str, channels: int) -> Shapes:
    """What the speaker model has after each convolution."""
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def fusion(name: str, channels: int) -> Shapes:
    """Attention to two maps, which decides between them."""
    yield from linear(f"{name}.local_att.0", channels // 4, 2 * channels, 1, 1)
    yield from batch_norm(f"{name}.local_att.1", channels // 4)
    yield from linear(f"{name}.local_att.3", channels, channels // 4, 1, 1)
    yield from batch_norm(f"{name}.local_att.4", channels)


def speaker_block(name: str, before: int, branch: int, *, fused: bool, first: bool) -> Shapes:
    """A residual block of four branches."""
    after = 32 * branch // 3
    yield f"{name}.conv1.weight", (4 * branch, before, 1, 1)
    yield from batch_norm(f"{name}.bn1", 4 * branch)
    for index in range(4):
        yield f"{name}.convs.{index}.weight", (branch, branch, 3, 3)
        yield from batch_norm(f"{name}.bns.{index}", branch)
    for index in range(3 if fused else 0):
        yield from fusion(f"{name}.fuse_models.{index}", branch)
    yield f"{name}.conv3.weight", (after, 4 * branch, 1, 1)
    yield from batch_norm(f"{name}.bn3", after)
    if first:
        yield f"{name}.shortcut.0.weight", (after, before, 1, 1)
        yield from batch_norm(f"{name}.shortcut.1", after)


def speaker_shapes() -> Shapes:
    """Names and shapes of ERes2NetV2, as v2Pro has it."""
    yield "conv1.weight", (64, 1, 3, 3)
    yield from batch_norm("bn1", 64)
    before = 64
    for stage, blocks in enumerate(SPEAKER_BLOCKS):
        for block in range(blocks):
            name, branch = f"layer{stage + 1}.{block}", 24 << stage
            yield from speaker_block(name, before, branch, fused=stage > 1, first=not block)
            before = 256 << stage
    yield "layer3_ds.weight", (2048, 1024, 3, 3)
    yield from fusion("fuse34", 2048)
    yield from linear("seg_1", 192, 2 * SPEAKER_WIDTH)


def drawn(shapes: Shapes) -> "OrderedDict[str, torch.Tensor]":
    """Random tensors of a size that keeps the signal's."""
    random = np.random.default_rng(0)
    tensors = OrderedDict()
    for name, shape in shapes:
        if name.endswith("num_batches_tracked"):
            tensors[name] = torch.zeros((), dtype=torch.int64)
            continue
        gain = name.endswith(("alpha", "gamma", "weight_g", "running_var"))
        if gain or (name.endswith(".weight") and len(shape) == 1):
            values = np.ones(shape, np.float32)
        elif len(shape) > 1:
            fan_in = np.prod(shape[1:])
            values = random.standard_normal(shape, np.float32) / np.sqrt(fan_in)
        else:
            values = 0.01 * random.standard_normal(shape, np.float32)
        tensors[name] = torch.from_numpy(np.asarray(values, np.float32)).half()
    return tensors


def s1_checkpoint(version: Version) -> dict[str, object]:
    """What is saved as `.ckpt`."""
    weight = drawn(s1_shapes(version))
    weight["model.ar_predict_layer.weight"][-1] = 0
    model = {
        "vocab_size": TOKENS, "phoneme_vocab_size": version.phones, "embedding_dim": WIDTH,
        "hidden_dim": WIDTH, "head": 16, "linear_units": 4 * WIDTH, "n_layer": LAYERS,
        "dropout": 0, "EOS": TOKENS - 1, "random_bert": 0,
    }  # fmt: skip
    return {"weight": weight, "config": {"model": model}, "info": "GPT-e1"}


class HParams:
    """The class in which official checkpoints keep their settings."""

    def __init__(self, **settings: object) -> None:
        vars(self).update(settings)


def s2_checkpoint(version: Version) -> dict[str, object]:
    """What is saved as `.pth`."""
    model = HParams(
        inter_channels=192, hidden_channels=192, filter_channels=768, n_heads=2, n_layers=6,
        kernel_size=3, p_dropout=version.dropout, resblock="1",
        resblock_kernel_sizes=[3, 7, 11], resblock_dilation_sizes=[[1, 3, 5]] * 3,
        upsample_rates=list(RATES), upsample_kernel_sizes=list(version.kernels),
        upsample_initial_channel=version.channels, gin_channels=version.style,
        semantic_frame_rate="25hz", version=version.name,
    )  # fmt: skip
    sound = HParams(sampling_rate=32_000, filter_length=2048, hop_length=640, win_length=2048)
    config = HParams(model=model, data=sound, version=version.name, name="random")
    return {"weight": drawn(s2_shapes(version)), "config": config, "info": "1epoch_1iteration"}


def write_checkpoints(folder: Path, version: Version) -> None:
    """Write both stages, and the speaker model if there is need for it, as GPT-SoVITS does."""
    folder.mkdir(parents=True, exist_ok=True)
    official = types.ModuleType("utils")
    HParams.__module__, HParams.__qualname__ = "utils", "HParams"
    official.HParams = HParams  # type: ignore[attr-defined]
    sys.modules["utils"] = official
    torch.save(s1_checkpoint(version), folder / "S1.ckpt", pickle_protocol=2)
    torch.save(s2_checkpoint(version), folder / "S2.pth", pickle_protocol=2)
    with (folder / "S2.pth").open("r+b") as file:
        file.write(version.tag)
    if version.has_speaker:
        torch.save(drawn(speaker_shapes()), folder / SPEAKER_FILE, pickle_protocol=2)


def speak(folder: Path, version: Version) -> None:
    """Import, export and speak in processes of their own; print what each of them took."""
    clip, said = folder / "clip.wav", folder / "said.wav"
    noise = np.random.default_rng(0).standard_normal(5 * 32_000) * 0.1
    soundfile.write(clip, noise, 32_000)
    name = f"random-{version.name.lower()}"
    listening = ("--speaker-model", folder / SPEAKER_FILE) if version.has_speaker else ()
    steps = {
        "import": ("import", folder / "S1.ckpt", folder / "S2.pth", "--name", name, "--replace"),
        "export": ("export", name, *listening),
        "reference": ("reference", clip, "--bundle", name, "--stock", "random noise"),
        "say": ("say", TEXT, "--bundle", name, "-o", said),
    }
    measured = {step: run(*words, home=folder / "home") for step, words in steps.items()}
    total = sum(one["cpu_seconds"] for one in measured.values())
    print(
        json.dumps(
            {
                "version": version.name,
                **measured,
                "total_cpu_seconds": round(total, 1),
                "said_seconds": round(soundfile.info(said).duration, 1),
            }
        )
    )


def run(*words: object, home: Path) -> dict[str, float]:
    """Run a command of selftalk; return its processor time and the most memory it had."""
    environment = {**os.environ, "SELFTALK_HOME": str(home)}
    command = [sys.executable, "-m", "selftalk.stream", *map(str, words)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    measuring = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],check=True);" + (
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    told = subprocess.run(
        [sys.executable, "-c", measuring, *command],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    print(told.stdout, file=sys.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    peak_mib = int(told.stdout.split()[-1]) / 1024
    return {"cpu_seconds": round(seconds, 1), "peak_mib": round(peak_mib)}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="make a random GPT-SoVITS checkpoint")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", choices=sorted(VERSIONS), default="v2")
    parser.add_argument("--speak", action="store_true", help="import, export and speak")
    args = parser.parse_args()
    folder, version = args.folder.absolute(), VERSIONS[args.version]
    write_checkpoints(folder, version)
    if args.speak:
        speak(folder, version)


if __name__ == "__main__":
    main()
