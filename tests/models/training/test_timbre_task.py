import numpy as np
import pytest
import torch

from selftalk.models.speaker import SpeakerConfig
from selftalk.models.timbre import TimbreEncoder
from selftalk.models.training.loop import Run, Schedule
from selftalk.models.training.timbre_task import (
    Heard,
    TimbreTask,
    by_speakers,
    crop,
    heard,
    recoloured,
)

TINY = SpeakerConfig(channels=16, branches=2, squeeze=8, embedding=16, dilations=(2,))


def voices():
    """Ten speakers, each with a band of its own."""
    random = np.random.default_rng(0)
    items = []
    for number in range(20):
        mel = -0.8 + 0.05 * random.standard_normal((80, 120)).astype(np.float32)
        mel[4 * (number % 10) : 4 * (number % 10) + 8] += 1.0
        timbre = np.full(128, (number % 10 - 4.5) / 3, np.float32)
        items.append(Heard(mel.astype(np.float32), timbre, f"s{number % 10}"))
    return items


def test_no_speaker_is_on_both_sides():
    train, valid = by_speakers(voices())
    assert {item.speaker for item in valid} == {"s0"}
    assert {item.speaker for item in train} == {f"s{number}" for number in range(1, 10)}


def test_timbres_are_learnt(tmp_path):
    torch.manual_seed(0)
    items = voices()
    task = TimbreTask(TimbreEncoder(TINY), items, items, batch=10, frames=(60, 90))
    run = Run(task, Schedule(steps=150, learning_rate=2e-2, averaging=0.5), tmp_path)
    before = run.validate()["explained"]
    run.fit()
    after = run.validate()["explained"]
    assert after > max(before, 0.3)


@pytest.mark.parametrize("frames", [50, 120, 300])
def test_crops_have_the_wanted_length(frames):
    mel = voices()[0].mel
    assert crop(mel, frames, np.random.default_rng(0)).shape == (80, frames)


def test_another_microphone_changes_the_colour_not_the_rhythm():
    mel = voices()[0].mel
    mel[:, 60:] -= 1.0
    made = recoloured(mel, np.random.default_rng(3))
    assert made.shape == mel.shape
    assert not np.allclose(made, mel, atol=0.02)
    assert made[:8, :60].mean() > made[:8, 60:].mean() + 0.3


def test_an_utterance_is_heard_with_its_timbre(tiny_utterances):
    item = heard(tiny_utterances[0])
    assert item.mel.shape[0] == 80
    assert item.timbre.shape == (128,)
    assert item.speaker == "s0001"
