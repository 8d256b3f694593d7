import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.synthesis.sampling import Sampler, SamplingConfig, probabilities

GOLDEN = Path(os.environ.get("SELFTALK_GOLDEN") or Path(__file__).parents[2] / "data" / "golden")
PLAIN = SamplingConfig(top_k=1000, repetition_penalty=1.0)


def logits_of(*chances):
    return np.log(np.array(chances, np.float32))


def tokens(*ids):
    return np.array(ids, np.int64)


def with_zeros(chances):
    return [round(float(each), 6) for each in chances]


def test_parity_with_the_reference():
    with np.load(GOLDEN / "t2s.npz") as arrays:
        grid = json.loads(str(arrays["samp_grid_json"]))
        rows = list(zip(arrays["samp_logits"], arrays["samp_prev"], strict=True))
        expected = [arrays[f"samp_probs_{index}"] for index in range(len(grid))]
    for settings, golden in zip(grid, expected, strict=True):
        for (logits, previous), row in zip(rows, golden, strict=True):
            ours = probabilities(logits, previous, SamplingConfig(**settings))
            np.testing.assert_allclose(ours, row, atol=1e-5)


def test_plain_settings_change_nothing():
    chances = probabilities(logits_of(0.5, 0.3, 0.15, 0.05), tokens(0, 1), PLAIN)
    np.testing.assert_allclose(chances, [0.5, 0.3, 0.15, 0.05], atol=1e-6)


def test_repetition_penalty_counts_once_and_always_pushes_down():
    logits = np.array([2.0, -2.0, 0.0], np.float32)
    once = probabilities(logits, tokens(0, 1), SamplingConfig(repetition_penalty=2.0))
    often = probabilities(logits, tokens(0, 0, 0, 1), SamplingConfig(repetition_penalty=2.0))
    expected = np.exp([1.0, -4.0, 0.0])
    np.testing.assert_allclose(once, expected / expected.sum(), atol=1e-6)
    np.testing.assert_array_equal(once, often)


def test_top_k_keeps_the_best_and_those_equal_to_the_last():
    config = SamplingConfig(top_k=2, repetition_penalty=1.0)
    chances = probabilities(logits_of(0.4, 0.2, 0.2, 0.1, 0.1), tokens(), config)
    assert with_zeros(chances) == [0.5, 0.25, 0.25, 0, 0]


def test_top_p_drops_the_token_that_would_exceed_it():
    chances = probabilities(
        logits_of(0.5, 0.3, 0.15, 0.05), tokens(), SamplingConfig(top_p=0.85, repetition_penalty=1)
    )
    assert with_zeros(chances) == [0.625, 0.375, 0, 0]


def test_top_p_always_keeps_the_best():
    config = SamplingConfig(top_p=0.01, repetition_penalty=1.0)
    assert with_zeros(probabilities(logits_of(0.6, 0.4), tokens(), config)) == [1, 0]


def test_top_p_looks_before_temperature_does():
    """Cold enough, everything would fit into the first token; the order says it does not."""
    config = SamplingConfig(top_p=0.9, temperature=0.5, repetition_penalty=1.0)
    chances = probabilities(logits_of(0.5, 0.3, 0.15, 0.05), tokens(), config)
    assert with_zeros(chances) == [round(25 / 34, 6), round(9 / 34, 6), 0, 0]


def test_forbidden_tokens_are_never_chosen():
    sampler = Sampler(SamplingConfig(temperature=5.0), seed=0)
    logits = np.array([0.0, -np.inf, 0.0], np.float32)
    assert 1 not in {sampler.sample(logits, tokens(1, 2)) for _ in range(200)}


@pytest.mark.parametrize("config", [SamplingConfig(top_k=1), SamplingConfig(temperature=0.0)])
def test_greedy(config):
    sampler = Sampler(config, seed=0)
    logits = np.array([0.1, 0.3, 0.2], np.float32)
    assert {sampler.sample(logits, tokens()) for _ in range(50)} == {1}


def test_draws_follow_the_probabilities():
    sampler = Sampler(PLAIN, seed=0)
    logits = logits_of(0.5, 0.3, 0.15, 0.05)
    counts = np.bincount([sampler.sample(logits, tokens()) for _ in range(4000)], minlength=4)
    np.testing.assert_allclose(counts / 4000, [0.5, 0.3, 0.15, 0.05], atol=0.03)


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=30),
    st.lists(st.integers(0, 40), max_size=10),
    st.integers(1, 40),
    st.floats(0.05, 1),
    st.floats(0, 3),
    st.floats(0.5, 2),
)
def test_probabilities_are_probabilities(logits, previous, top_k, top_p, temperature, penalty):
    config = SamplingConfig(top_k, top_p, temperature, penalty)
    chances = probabilities(np.array(logits, np.float32), tokens(*previous), config)
    assert chances.min() >= 0
    assert chances.sum() == pytest.approx(1)


def test_the_same_seed_says_the_same():
    def said(seed):
        sampler = Sampler(SamplingConfig(), seed)
        logits = np.random.default_rng(1).standard_normal((20, 50)).astype(np.float32)
        return [sampler.sample(row, tokens()) for row in logits]

    assert said(3) == said(3)
    assert said(3) != said(4)
