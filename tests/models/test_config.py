"""The variants: every configuration file makes a model of the official size."""

import tomllib
from pathlib import Path

import pytest
import torch

from selftalk.models.config import from_table
from selftalk.models.discriminator import Discriminators
from selftalk.models.sovits import Sovits, SovitsConfig, TrainableSovits
from selftalk.models.t2s import T2SConfig, Text2Semantic

CONFIGS = Path(__file__).parents[2] / "configs"


def read(name, kind):
    return from_table(kind, tomllib.loads((CONFIGS / f"{name}.toml").read_text()))


def size(kind, *arguments):
    """Parameters in millions, without allocating them."""
    with torch.device("meta"):
        return sum(each.numel() for each in kind(*arguments).parameters()) / 1e6


@pytest.mark.parametrize(("name", "parameters"), [("t2s-v1", 77_493_762), ("t2s-v2", 77_606_402)])
def test_t2s_sizes(name, parameters):
    config = read(name, T2SConfig)
    assert size(Text2Semantic, config) == parameters / 1e6
    assert config.end_token == 1024


# Weight norm counts a gain for every output channel of its layers, which ours does not have.
GAINS = 0.06


@pytest.mark.parametrize(
    ("name", "whole", "without_posterior", "discriminators"),
    [
        ("sovits-v1", 51.27, 40.78, 46.75),
        ("sovits-v2", 51.31, 40.82, 46.75),
        ("sovits-v2pro", 79.43, 65.79, 63.19),
        ("sovits-v2proplus", 98.34, 84.70, 63.19),
    ],
)
def test_sovits_sizes(name, whole, without_posterior, discriminators):
    config = read(name, SovitsConfig)
    assert config.hop_samples == 640
    assert without_posterior - GAINS < size(Sovits, config) <= without_posterior
    assert whole - GAINS < size(TrainableSovits, config) <= whole
    assert size(Discriminators, config.discriminator_periods) == pytest.approx(
        discriminators, abs=0.03
    )


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"symbols": 1, "generatr": {}}, "unknown key 'generatr' in SovitsConfig; known: symbols"),
        ({"symbols": 1, "generator": {"rate": []}}, "unknown key 'rate' in GeneratorConfig"),
        ({}, "SovitsConfig lacks 'symbols'"),
    ],
)
def test_mistakes_are_one_sentence(table, sentence):
    with pytest.raises(ValueError, match=sentence):
        from_table(SovitsConfig, table)


def test_lists_become_tuples():
    config = from_table(SovitsConfig, {"symbols": 1, "generator": {"dilations": [[1, 2], [3]]}})
    assert config.generator.dilations == ((1, 2), (3,))
    assert hash(config) == hash(config)
