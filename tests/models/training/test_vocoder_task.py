"""The vocoder learns from a few seconds of noise and hum, alone and judged, and resumes exactly."""

import numpy as np
import pytest
import torch
from fakes_nano import TOKENS, hum

from selftalk.models.discriminator import SlimDiscriminators
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.training.adversarial import AdversarialRun
from selftalk.models.training.judged_vocoder_task import JudgedVocoderTask
from selftalk.models.training.loop import Run, Schedule
from selftalk.models.training.vocoder_task import VocoderTask

TINY = NanoConfig(
    condition=8, vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=2,
    ahead_blocks=1, kernel=3,
)  # fmt: skip


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
