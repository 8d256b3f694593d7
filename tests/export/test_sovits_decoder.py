"""The vocoder in 8 bits: near enough, the same in windows as at once, or not taken."""

import numpy as np
import onnx
import pytest
import torch

from selftalk.export import sovits_decoder
from selftalk.export.sovits_decoder import eight_bit_decoder, sentences, spoken
from selftalk.export.sovits_graphs import sentence_sources
from selftalk.export.traced import trace_graph
from selftalk.models.generator import GeneratorConfig
from selftalk.models.sovits import Sovits, SovitsConfig

CONFIG = SovitsConfig(
    symbols=20,
    style_bins=40,
    style_width=8,
    ssl_width=12,
    codebook=16,
    width=8,
    hidden=16,
    layers=2,
    cross_width=8,
    latent=8,
    generator=GeneratorConfig(channels=128, rates=(4, 2, 2), kernels=(8, 4, 4)),
    window_samples=128,
)


@pytest.fixture(scope="module")
def sovits():
    torch.manual_seed(0)
    model = Sovits(CONFIG).eval()
    for part in model.generator.modules():  # so loud that other noise can be heard
        if isinstance(part, torch.nn.Conv1d | torch.nn.ConvTranspose1d):
            torch.nn.init.normal_(part.weight, std=1.5 / part.weight[0].numel() ** 0.5)
    return model


@pytest.fixture(scope="module")
def exact(sovits):
    return trace_graph(sentence_sources(sovits)["decoder"])


@pytest.fixture(scope="module")
def rounded(exact, sovits):
    return eight_bit_decoder(exact, sovits, 0.5)


@pytest.fixture
def feed(sovits):
    return next(sentences(sovits, np.random.default_rng(9), 0.5))


def test_it_says_nearly_the_same_in_fewer_bytes(exact, rounded, feed):
    graph, near = rounded
    said, changed = spoken(exact, feed), spoken(graph, feed)
    assert near
    assert 0 < (changed - said).square().sum() < 0.03 * said.square().sum()
    assert graph.ByteSize() < 0.6 * exact.ByteSize()


def test_a_window_says_what_the_whole_says(sovits, rounded, feed):
    """Its scales are fixed, so that a frame does not depend on its company."""
    whole = spoken(rounded[0], feed)
    first, hop = 12, CONFIG.hop_samples
    start = max(0, first - sovits.margin_frames)
    kept = np.array([first, first + 9], np.int64)
    window = {
        "frames": feed["frames"][:, start:],
        "noise": feed["noise"][:, :, start:],
        "style": feed["style"],
        "kept": kept - start,
    }
    torch.testing.assert_close(
        spoken(rounded[0], window), whole[:, first * hop : (first + 9) * hop], atol=1e-5, rtol=0
    )


def test_the_same_voice_gives_the_same_bytes(exact, sovits, rounded):
    again, _ = eight_bit_decoder(exact, sovits, 0.5)
    assert again.SerializeToString(deterministic=True) == rounded[0].SerializeToString(
        deterministic=True
    )


def test_what_changes_the_sound_is_not_near(exact, sovits, monkeypatch):
    def careless(model, _feeds, _convolutions):
        damaged = onnx.ModelProto()
        damaged.CopyFrom(model)
        weight = next(one for one in damaged.graph.initializer if "generator.leave" in one.name)
        values = 0 * onnx.numpy_helper.to_array(weight)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        return damaged

    monkeypatch.setattr(sovits_decoder, "to_static_int8", careless)
    assert not eight_bit_decoder(exact, sovits, 0.5)[1]


def test_a_narrow_vocoder_stays_as_it_is(sovits, exact, monkeypatch):
    monkeypatch.setattr(sovits_decoder, "NARROWEST_CHANNELS", 1000)
    assert eight_bit_decoder(exact, sovits, 0.5) == (exact, False)
