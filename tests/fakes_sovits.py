"""Bundles of the small golden checkpoints, exported once for all tests that ask."""

import json
import os
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from selftalk.export import importer
from selftalk.export.sovits import export_voice
from selftalk.export.voice_model import import_voice_model
from selftalk.stream.bundle import Bundle
from selftalk.stream.reference import Reference
from selftalk.stream.sovits.reference import model_of
from selftalk.stream.voices import Voice

GOLDEN = Path(os.environ.get("SELFTALK_GOLDEN") or Path(__file__).parent / "data" / "golden")
SECOND_STAGES = sorted(json.loads((GOLDEN / "config.json").read_text())["sovits"])


@cache
def scratch():
    return Path(mkdtemp(prefix="selftalk-tests-"))


@cache
def imported(stage):
    """The folder of an imported golden voice, however busy the machine is."""
    importer.BASE_TIMEOUT_SECONDS = 900.0
    return import_voice_model(GOLDEN / "s1.ckpt", second_stage(stage), stage, scratch())


def second_stage(stage):
    return next(GOLDEN.glob(f"s2_{stage.removeprefix('s2_')}.pth"))


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
