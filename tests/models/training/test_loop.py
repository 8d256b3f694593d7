import pytest
import torch

from selftalk.models.training.loop import Run, Schedule, averaging


class Line:
    """Fits a line; every step draws its own points."""

    def __init__(self):
        torch.manual_seed(7)
        self.model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Dropout(0.2))

    def loss(self, step):
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(16, 2, generator=generator)
        error = (self.model(x).sum(-1) - 3 * x[:, 0]).square().mean()
        return error, {"error": float(error.detach())}

    def validate(self, model):
        return {"weight": float(model[0].weight.detach().sum())}


SCHEDULE = Schedule(steps=40, learning_rate=0.02, warmup_steps=5, validate_every_steps=20)


def weights(run):
    return torch.cat([value.flatten() for value in run.task.model.state_dict().values()])


@pytest.mark.parametrize("stop_at", [1, 13, 39])
def test_a_run_that_was_killed_goes_on_exactly(tmp_path, stop_at):
    whole = Run(Line(), SCHEDULE, tmp_path / "whole")
    whole.fit()
    first = Run(Line(), SCHEDULE, tmp_path / "parts")
    for _ in range(stop_at):
        first._one_step()
    first.save()
    first._one_step()  # lost: the process is killed before the next save
    second = Run(Line(), SCHEDULE, tmp_path / "parts")
    assert second.step == stop_at
    second.fit()
    torch.testing.assert_close(weights(second), weights(whole), rtol=0, atol=0)
    torch.testing.assert_close(
        second.average.module[0].weight, whole.average.module[0].weight, rtol=0, atol=0
    )


def test_a_checkpoint_holds_only_what_learns(tmp_path):
    def line():
        made = Line()
        made.model[0].bias.requires_grad_(False)
        return made

    whole = Run(line(), SCHEDULE, tmp_path / "whole")
    whole.fit()
    first = Run(line(), SCHEDULE, tmp_path / "parts")
    first._one_step()
    first.save()
    kept = torch.load(tmp_path / "parts" / "last.pt", weights_only=True)
    assert set(kept["model"]) == {"0.weight"}
    assert set(kept["average"]) == {"n_averaged", "module.0.weight"}
    second = Run(line(), SCHEDULE, tmp_path / "parts")
    assert second.step == 1
    second.fit()
    torch.testing.assert_close(weights(second), weights(whole), rtol=0, atol=0)


def test_a_checkpoint_that_lacks_what_learns_is_refused(tmp_path):
    run = Run(Line(), SCHEDULE, tmp_path)
    state = run.state()
    del state["model"]["0.weight"]
    with pytest.raises(RuntimeError, match=r"0\.weight"):
        run.restore(state)


def test_the_loss_falls_and_is_logged(tmp_path):
    run = Run(Line(), SCHEDULE, tmp_path)
    before = run.task.loss(1000)[1]["error"]
    run.fit()
    assert run.task.loss(1000)[1]["error"] < 0.8 * before
    assert (tmp_path / "valid.csv").read_text().count("valid,") == 2


def test_a_failed_save_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    run = Run(Line(), SCHEDULE, tmp_path)
    run.save()
    kept = (tmp_path / "last.pt").read_bytes()
    run._one_step()

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        run.save()
    assert (tmp_path / "last.pt").read_bytes() == kept


def test_no_minutes_no_steps(tmp_path):
    run = Run(Line(), SCHEDULE, tmp_path)
    run.fit(max_minutes=0)
    assert run.step == 0


def test_the_rate_rises_then_falls():
    rates = [SCHEDULE.rate(step) for step in range(41)]
    assert rates[0] < rates[4]
    assert max(rates) <= SCHEDULE.learning_rate
    assert rates[40] == pytest.approx(0.05 * SCHEDULE.learning_rate)


def test_the_average_forgets_the_beginning():
    update = averaging(0.999)
    average = [torch.full((1,), 100.0)]
    for count in range(1, 200):
        update(average, [torch.ones(1)], count)
    assert float(average[0]) == pytest.approx(1.0, abs=0.01)
