"""The same work for every engine, and how it is timed; runs in each engine's own environment.

A reference of 5 s (125 tokens, 60 phones), a text of 40 phones, 100 new tokens = 4 s of speech.
Everything before and after is left out on all sides: no text front end, no features of the
reference, no sound card. An engine is a function that loads a checkpoint and returns another that
speaks once and yields the number of samples of each piece of sound as soon as it is there.
"""

import argparse
import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np

REFERENCE_SECONDS, TOKENS = 5, 100
SAMPLE_RATE_HZ = 32_000
HIDDEN_WIDTH, BERT_WIDTH, SPECTRUM_BINS = 768, 1024, 1025

_random = np.random.default_rng(7)
reference_phones = _random.integers(1, 700, (1, 60)).astype(np.int64)
text_phones = _random.integers(1, 700, (1, 40)).astype(np.int64)
reference_features = _random.standard_normal((1, HIDDEN_WIDTH, 50 * REFERENCE_SECONDS)).astype("f4")
reference_samples = (0.1 * _random.standard_normal((1, 32_000 * REFERENCE_SECONDS))).astype("f4")
reference_tokens = _random.integers(0, 1024, (1, 25 * REFERENCE_SECONDS)).astype(np.int64)
reference_spectrum = np.abs(_random.standard_normal((1, SPECTRUM_BINS, 250))).astype("f4")

Speak = Callable[[], Iterator[int]]


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets packages be imported that are not there: front ends and servers, which nobody calls."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Answer for these packages and whatever is in them."""
        if name.partition(".")[0] in self._packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        """A module in which everything can be found."""
        return Anything(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing has to be done."""


class Anything(types.ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)


def leave_out(*packages: str) -> None:
    """Import these packages as empty shells from now on."""
    sys.meta_path.insert(0, Absent(packages))


def checkpoint_paths(folder: Path) -> tuple[Path, Path]:
    """Both stages of the random full-size voice."""
    return folder / "random-v2.ckpt", folder / "random-v2.pth"


def main(load: Callable[[Path, int], Speak]) -> None:
    """Load an engine, speak a few times, print one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="with the checkpoint")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=2)
    options = parser.parse_args()
    started, cpu = time.perf_counter(), time.process_time()
    speak = load(options.folder, options.threads)
    loaded = {"load_wall_s": time.perf_counter() - started, "load_cpu_s": time.process_time() - cpu}
    timed(speak)  # the first time is slower with every engine, and counts with none
    runs = [timed(speak) for _ in range(options.repetitions)]
    print(json.dumps({**loaded, "runs": runs, "peak_mb": peak_mb()}))


def timed(speak: Speak) -> dict[str, float]:
    """Seconds of processor and of the clock to the first sound and for each second of it."""
    busy, own = machine_seconds(), own_seconds()
    started, cpu, first, samples = time.perf_counter(), time.process_time(), {}, 0
    for piece in speak():
        if not first:
            first = {
                "first_cpu_s": time.process_time() - cpu,
                "first_wall_s": time.perf_counter() - started,
                "first_audio_s": piece / SAMPLE_RATE_HZ,
            }
        samples += piece
    wall, used, audio = time.perf_counter() - started, time.process_time() - cpu, samples / 32_000
    others = (machine_seconds() - busy - (own_seconds() - own)) / wall
    return {
        **first,
        "audio_s": audio,
        "rtf_cpu": used / audio,
        "rtf_wall": wall / audio,
        "others": others,
    }


def peak_mb() -> float:
    """The most memory this process ever held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def machine_seconds() -> float:
    """Seconds of processor that the whole machine has used, in cores."""
    ticks = [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Seconds of processor that this process has used."""
    times = os.times()
    return times.user + times.system
