"""The vocoder learns from a few seconds of noise and hum, alone and judged, and resumes exactly."""

import numpy as np
import pytest
import torch

from selftalk.models.discriminator import SlimDiscriminators
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.training.adversarial import AdversarialRun
from selftalk.models.training.examples import Example
from selftalk.models.training.judged_vocoder_task import JudgedVocoderTask
from selftalk.models.training.loop import Run, Schedule
from selftalk.models.training.vocoder_task import VocoderTask
from selftalk.stream.alignment import align
from selftalk.stream.harmonic import pulse_train

TINY = NanoConfig(
    condition=8, vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=2,
    ahead_blocks=1, kernel=3,
)  # fmt: skip
TOKENS = 20


def hum(seed):
    random = np.random.default_rng(seed)
    hz = 120.0 + 60 * seed
    samples = TOKENS * 960
    pulses = pulse_train(np.arange(samples) * hz / 24_000, np.full(samples, hz))
    durations = np.array([8, 16, 8])
    prosody = np.tile([0.0, 1.0, 1.3], (4 * TOKENS, 1)).astype(np.float32)
    return Example(
        text="m",
        language="en",
        symbols=np.array([1, 2 + seed, 1]),
        durations=durations,
        alignment=align(durations, TOKENS),
        wave=(0.2 * pulses + 0.01 * random.standard_normal(samples)).astype(np.float32),
        pulses=pulses,
        prosody=prosody,
        heard_prosody=prosody.astype(np.float16),
        speaker=np.full(129, 0.5, np.float32),
        speaker_name=f"s{seed}",
        pair=-1,
        first_sample=0,
    )


def task():
    torch.manual_seed(0)
    examples = [hum(0), hum(1)]
    tokens = [np.arange(TOKENS), np.arange(TOKENS) + 500]
    return VocoderTask(
        NanoVocoder(TINY), examples, tokens, examples[:1], tokens[:1], batch=2, crop_tokens=12
    )


def judged():
    torch.manual_seed(0)
    judges = SlimDiscriminators((1, 2, 4, 4, 4))
    return JudgedVocoderTask(task(), judges)


SCHEDULE = Schedule(steps=25, learning_rate=8e-3, warmup_steps=2, averaging=0.5)


def test_the_distance_falls(tmp_path):
    run = Run(task(), SCHEDULE, tmp_path)
    before = run.validate()["mel"]
    run.fit()
    assert run.validate()["mel"] < 0.8 * before


def test_judged_training_stays_near_and_teaches_its_judges(tmp_path):
    run = AdversarialRun(judged(), SCHEDULE, tmp_path)
    before = run.validate()["mel"]
    first = run.descend(1e-3)["judges"]
    run.fit()
    assert run.validate()["mel"] < before
    assert run.descend(1e-3)["judges"] < first


@pytest.mark.parametrize("make", [(Run, task), (AdversarialRun, judged)])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, make):
    run_type, make_task = make
    schedule = Schedule(steps=6, learning_rate=1e-3, warmup_steps=2)
    whole = run_type(make_task(), schedule, tmp_path / "whole")
    whole.fit()
    for _ in range(2):
        killed = run_type(make_task(), schedule, tmp_path / "killed")
        for _ in range(3):
            killed._one_step()
        killed.save()
    for one, other in zip(
        whole.task.model.parameters(), killed.task.model.parameters(), strict=True
    ):
        assert torch.equal(one, other)
    assert killed.step == 6
