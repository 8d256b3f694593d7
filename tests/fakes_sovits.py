"""Bundles of the small golden checkpoints, exported once for all tests that ask.

Versions that the golden set lacks are made of those it has: they differ only in a few sizes.
"""

import json
import os
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import torch

from selftalk.export import importer
from selftalk.export.sovits import export_voice
from selftalk.export.voice_model import import_voice_model
from selftalk.stream.sovits.reference import model_of
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.reference import Reference
from selftalk.stream.synthesis.voices import Voice

GOLDEN = Path(os.environ.get("SELFTALK_GOLDEN") or Path(__file__).parent / "data" / "golden")
SECOND_STAGES = sorted(json.loads((GOLDEN / "config.json").read_text())["sovits"])
MADE = {
    stage: base
    for stage, base in {"v1": "v2", "v2proplus": "v2pro"}.items()
    if base in SECOND_STAGES and stage not in SECOND_STAGES
}
ALL_STAGES = [*SECOND_STAGES, *MADE]


@cache
def scratch():
    return Path(mkdtemp(prefix="selftalk-tests-"))


@cache
def imported(stage):
    """The folder of an imported golden voice, however busy the machine is."""
    importer.BASE_TIMEOUT_SECONDS = 900.0
    files = made(stage) if stage in MADE else (GOLDEN / "s1.ckpt", second_stage(stage))
    return import_voice_model(*files, stage, scratch())


def second_stage(stage):
    return GOLDEN / f"s2_{stage}.pth"


def made(stage):
    """Both checkpoints of a version that the set lacks."""
    s1 = importer.read_checkpoint(GOLDEN / "s1.ckpt")
    s2 = importer.read_checkpoint(second_stage(MADE[stage]))
    random = np.random.default_rng(0)

    def resize(checkpoint, name, *shape):
        values = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        checkpoint.tensors[name] = values.astype(np.float16)

    if stage == "v1":
        resize(s1, "model.ar_text_embedding.word_embeddings.weight", 512, width_of(s1))
        symbols = "enc_p.text_embedding.weight"
        resize(s2, symbols, 322, s2.tensors[symbols].shape[1])
        style = "ref_enc.spectral.0.fc.weight"
        resize(s2, style, len(s2.tensors[style]), 1025)
    else:
        kernel = "dec.ups.0.weight_v"
        resize(s2, kernel, *s2.tensors[kernel].shape[:2], 20)
        s2.config["model"]["upsample_kernel_sizes"][0] = 20
    return [saved(each, scratch() / f"{stage}.{each.kind}") for each in (s1, s2)]


def width_of(s1):
    return s1.tensors["model.ar_predict_layer.weight"].shape[1]


def saved(checkpoint, path):
    weight = {name: torch.from_numpy(array) for name, array in checkpoint.tensors.items()}
    torch.save({"weight": weight, "config": checkpoint.config, "info": checkpoint.info}, path)
    return path


@cache
def bundle_of(stage=SECOND_STAGES[0], precision="fp32"):
    folder = scratch() / f"{stage}-{precision}"
    export_voice(imported(stage), folder, precision=precision)
    return Bundle.load(folder)


def somebody(bundle, prompt_tokens=20):
    random = np.random.default_rng(0)
    numbers = bundle.manifest.numbers
    reference = Reference(
        model_of(bundle),
        random.standard_normal(int(numbers["style_width"])).astype(np.float32),
        random.integers(0, int(numbers["t2s_tokens"]) - 1, prompt_tokens),
        random.integers(0, 300, prompt_tokens // 2),
    )
    return Voice("somebody", np.zeros(256, np.float32), 5.0, reference=reference)
