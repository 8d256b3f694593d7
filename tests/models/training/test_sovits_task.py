import numpy as np
import pytest
import torch
from fakes_training import HOP, TINY_SOVITS, flat, tiny_recording, tiny_set

from selftalk.models.discriminator import Discriminators
from selftalk.models.sovits import TrainableSovits
from selftalk.models.training.adversarial import AdversarialRun
from selftalk.models.training.sovits_task import SovitsSchedule, SovitsTask
from selftalk.stream.errors import ConfigError

SCHEDULE = SovitsSchedule(steps=4, learning_rate=1e-3, validate_every_steps=3)


class TinyJudge(Discriminators):
    """Only the judge of a period, and that a thin one: the others take seconds."""

    def __init__(self):
        super().__init__((2,))
        judge = self.discriminators[1]
        judge.convs, judge.score = judge.convs[:1], torch.nn.Conv2d(32, 1, (3, 1), padding=(1, 0))
        self.discriminators = torch.nn.ModuleList([judge])


def task():
    torch.manual_seed(3)
    items = tiny_set()
    model = TrainableSovits(TINY_SOVITS)
    return SovitsTask(model, items, items[:2], judges=TinyJudge(), batch=2, slice_frames=16)


def test_the_loss_falls(tmp_path):
    schedule = SovitsSchedule(steps=10, learning_rate=5e-3)
    run = AdversarialRun(task(), schedule, tmp_path)
    before = run.task.validate(run.task.model)["mel"]
    run.fit()
    assert run.task.validate(run.task.model)["mel"] < 0.95 * before


def test_a_run_that_was_killed_goes_on_exactly(tmp_path):
    whole = AdversarialRun(task(), SCHEDULE, tmp_path / "whole")
    whole.fit()
    stop_at = int(np.random.default_rng().integers(1, SCHEDULE.steps))
    first = AdversarialRun(task(), SCHEDULE, tmp_path / "parts")
    for _ in range(stop_at):
        first._one_step()
    first.save()
    first._one_step()
    second = AdversarialRun(task(), SCHEDULE, tmp_path / "parts")
    second.fit()
    assert torch.equal(flat(second.task.model), flat(whole.task.model)), stop_at
    assert torch.equal(flat(second.task.judges), flat(whole.task.judges)), stop_at


def test_padding_changes_nothing():
    trained = task()
    trained.model.eval()
    short, long = tiny_recording(40, 1), tiny_recording(60, 2)

    def speak(items):
        batch = trained._collate(items, step=0)
        batch = batch._replace(starts=torch.full_like(batch.starts, 5))
        noise = torch.randn(1, 8, 60, generator=torch.Generator().manual_seed(0))
        frames = batch.speech.spectrum.shape[2]
        noise = noise[..., :frames].expand(len(items), -1, -1)
        with torch.no_grad():
            return trained.model(batch.speech, noise, batch.starts, 16)

    alone, together = speak([short]), speak([short, long])
    for name in ("wave", "z", "z_p", "mean", "log_scale", "posterior_log_scale"):
        one, many = getattr(alone, name), getattr(together, name)
        many = many[:1, ..., : one.shape[-1]]
        torch.testing.assert_close(many, one, rtol=1e-4, atol=1e-5, msg=name)


def test_text_learns_slower():
    text, rest = task().parameter_groups()[1], task().parameter_groups()[0]
    assert text["rate_scale"] == 0.4
    assert 0 < len(text["params"]) < len(rest["params"])


def test_the_codebook_stays(tmp_path):
    run = AdversarialRun(task(), SCHEDULE, tmp_path)
    names = ("sovits.codebook.entries", "sovits.ssl_in.weight")
    before = {name: run.task.model.state_dict()[name].clone() for name in names}
    run.fit()
    after = run.task.model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in names)


def test_slices_are_of_the_recording():
    trained = task()
    batch = trained._collate(tiny_set()[:2], step=4)
    _, real = trained._speak(trained.model, batch, 4)
    start = int(batch.starts[0]) * HOP
    expected = tiny_set()[0].samples[start : start + 16 * HOP]
    assert np.allclose(real[0].numpy(), expected)


def test_a_rate_for_each_epoch():
    schedule = SovitsSchedule(steps=100, epoch_steps=10)
    assert schedule.rate(9) == schedule.rate(0) > schedule.rate(10)


def test_recordings_without_a_slice_are_left_out():
    with pytest.raises(ConfigError, match="nothing to train on"):
        SovitsTask(TrainableSovits(TINY_SOVITS), [tiny_recording(10)], judges=TinyJudge())
