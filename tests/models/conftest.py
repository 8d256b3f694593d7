"""A set of golden tensors: small random checkpoints and what the reference implementation says.

SELFTALK_GOLDEN names another set; every size, and which files and arrays it has, is read from it.
The run ends with what was looked at and what was not; with SELFTALK_GOLDEN_TABLE=1 also with the
largest relative error of every array.
"""

import io
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

FOLDER = Path(os.environ.get("SELFTALK_GOLDEN") or Path(__file__).parents[1] / "data" / "golden")
TOLERANCE = 1e-4
ERRORS = {}
OPENED = {}


class HParams:
    """Stands for the class that foreign checkpoints keep their configuration in."""


def plain(value):
    """Turn nested HParams into nested dictionaries."""
    if isinstance(value, HParams):
        value = vars(value)
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return value


class Arrays(Mapping):
    """Arrays of a file: inputs, of which one that is missing skips the test, and results."""

    def __init__(self, name, stored):
        self.name = name
        self.seen = set()
        self._arrays = {
            key: torch.from_numpy(array) if array.dtype.kind in "fib" else array
            for key, array in stored.items()
        }

    def __getitem__(self, key):
        if key not in self._arrays:
            pytest.skip(f"this set has no {self.name}/{key}")
        self.seen.add(key)
        return self._arrays[key]

    def get(self, key, default=None):
        return self[key] if key in self._arrays else default

    def check(self, key, ours, at=...):
        """Compare with a result, or a part of it, if this set has it."""
        if key in self._arrays:
            assert_parity(f"{self.name}/{key}", ours, self[key][at])

    def __contains__(self, key):
        return key in self._arrays

    def __iter__(self):
        return iter(self._arrays)

    def __len__(self):
        return len(self._arrays)

    @property
    def unseen(self):
        return [f"{self.name}/{key}" for key in self._arrays if key not in self.seen]


class Golden:
    """The files of one set."""

    def __init__(self, folder):
        self.folder = folder
        self.config = json.loads((folder / "config.json").read_text())
        self.seed = self.config["seed"]

    @property
    def second_stages(self):
        """Names of the second stages that are configured, or have a file."""
        files = [*self.folder.glob("s2_*.pth"), *self.folder.glob("sovits_*.npz")]
        return sorted({*self.config.get("sovits", {}), *(f.stem.split("_", 1)[1] for f in files)})

    @property
    def missing(self):
        """Files that a complete set has and this one lacks."""
        complete = ["dsp.npz", "s1.ckpt", "t2s.npz"]
        for name in self.second_stages:
            complete += [f"s2_{name}.pth", f"sovits_{name}.npz"]
            if self.config.get("sovits", {}).get(name, {}).get("train"):
                complete.append(f"enc_q_{name}.npz")
        return [file for file in complete if not self.has(file)]

    def has(self, file):
        return (self.folder / file).is_file()

    def arrays(self, name):
        """The arrays of a file; numbers as tensors, text as arrays."""
        if not self.has(f"{name}.npz"):
            pytest.skip(f"this set has no {name}.npz")
        if name not in OPENED:
            with np.load(self.folder / f"{name}.npz", allow_pickle=False) as stored:
                OPENED[name] = Arrays(name, stored)
        return OPENED[name]

    def checkpoint(self, file):
        """Read one of our own test files; users' files go through the importer instead."""
        content = b"PK" + (self.folder / file).read_bytes()[2:]
        with torch.serialization.safe_globals([(HParams, "utils.HParams")]):
            return plain(torch.load(io.BytesIO(content), weights_only=True))

    def formula_weights(self, shapes):
        """Weights that need no file: each tensor is drawn from a stream named after it."""
        return {name: formula_weight(name, shape, self.seed) for name, shape in shapes}


def formula_weight(name, shape, seed):
    random = np.random.RandomState((zlib.crc32(name.encode()) + seed) % 2**32)
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith(("weight_g", "running_var")):
        values = 0.5 + random.random_sample(shape)
    elif len(shape) >= 2:
        values = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    elif name.endswith("weight"):
        values = 1 + 0.1 * random.standard_normal(shape)
    else:
        values = 0.1 * random.standard_normal(shape)
    return np.asarray(values, np.float32)


def relative_error(ours, golden):
    ours, golden = np.asarray(ours, np.float64), np.asarray(golden, np.float64)
    assert ours.shape == golden.shape, (ours.shape, golden.shape)
    return float(np.abs(ours - golden).max() / max(np.abs(golden).max(), 1e-12))


def assert_parity(label, ours, golden, tolerance=TOLERANCE):
    error = relative_error(ours, golden)
    ERRORS[label] = max(error, ERRORS.get(label, 0.0))
    assert error <= tolerance, f"{label}: relative error {error:.2e}"


@pytest.fixture(scope="session")
def parity():
    return assert_parity


@pytest.fixture(scope="session")
def golden():
    return Golden(FOLDER)


def pytest_generate_tests(metafunc):
    """Run a test for every second stage of the set."""
    if "sovits_name" in metafunc.fixturenames:
        metafunc.parametrize("sovits_name", Golden(FOLDER).second_stages)


def pytest_terminal_summary(terminalreporter):
    if not OPENED:
        return
    terminalreporter.section(f"golden set {FOLDER.name}")
    unseen = [name for arrays in OPENED.values() for name in arrays.unseen]
    count = sum(map(len, OPENED.values()))
    files = ", ".join(f"{name}.npz" for name in sorted(OPENED))
    terminalreporter.line(f"{count - len(unseen)} of {count} arrays looked at, of {files}")
    if ERRORS:
        worst = max(ERRORS, key=ERRORS.__getitem__)
        terminalreporter.line(f"largest relative error: {ERRORS[worst]:.1e} of {worst}")
    for what, names in (("not looked at", unseen), ("not in this set", Golden(FOLDER).missing)):
        if names:
            terminalreporter.line(f"{what}: {', '.join(names)}")
    if os.environ.get("SELFTALK_GOLDEN_TABLE"):
        for label, error in sorted(ERRORS.items()):
            terminalreporter.line(f"{label:45} {error:.1e}")
