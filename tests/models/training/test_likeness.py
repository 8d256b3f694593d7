import numpy as np
import pytest
import torch

from selftalk.export.ge2e import from_graph
from selftalk.models.training.likeness import Likeness
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder

RATE = 24_000


@pytest.fixture(scope="module")
def graph():
    return default_bundle().graph_path("speaker")


def buzz(hz, level=0.1, samples=160 * 240 - 1):
    time = np.arange(samples) / RATE
    wave = sum(np.sin(2 * np.pi * hz * n * time) / n for n in range(1, 20))
    return (level * wave).astype(np.float32)


@pytest.mark.parametrize("level", [0.1, 0.001])
def test_it_hears_as_the_runtime_does(graph, level):
    wave = buzz(140, level)
    person = SpeakerEncoder(graph).embed(AudioChunk(wave, RATE))
    distance = Likeness(from_graph(graph), torch.from_numpy(person))(torch.from_numpy(wave)[None])
    assert float(distance) == pytest.approx(0, abs=2e-3)


def test_a_step_against_the_gradient_brings_speech_nearer(graph):
    person = SpeakerEncoder(graph).embed(AudioChunk(buzz(140), RATE))
    likeness = Likeness(from_graph(graph), torch.from_numpy(person))
    wave = torch.from_numpy(buzz(230))[None].requires_grad_()
    before = likeness(wave)
    before.backward()
    with torch.no_grad():
        step = 1e-3 * wave.grad / wave.grad.abs().max()
        assert likeness(wave - step) < before
    assert not any(parameter.requires_grad for parameter in likeness.encoder.parameters())


def test_no_more_is_asked_for_than_recordings_give(graph):
    recording, other = (torch.from_numpy(buzz(hz)) for hz in (140, 230))
    likeness = Likeness(from_graph(graph), torch.eye(256)[0])
    whole = likeness(recording[None])
    likeness.expect([recording])
    assert float(likeness(recording[None])) == pytest.approx(0, abs=1e-6)
    assert likeness.enough == pytest.approx(1 - float(whole))
    likeness.expect([recording, other])
    assert likeness.enough == pytest.approx(1 - float(likeness_of_both(graph, recording, other)))


def likeness_of_both(graph, *waves):
    return Likeness(from_graph(graph), torch.eye(256)[0])(torch.stack(waves))
