import numpy as np
import pytest
import torch
from fakes_nano import TOKENS, hum

from selftalk.models.nano import NanoConfig
from selftalk.models.training.durations import PlannedLine
from selftalk.models.training.t2s_task import TextToTokens, TextToTokensTask, neighbours

TINY = NanoConfig(
    condition=8, text_width=16, text_blocks=1, text_layers=1, decoder_width=16, decoder_layers=1
)


@pytest.fixture
def task():
    torch.manual_seed(0)
    pairs = [(hum(0), np.arange(TOKENS)), (hum(1), np.arange(TOKENS))]
    return TextToTokensTask(TextToTokens(TINY), pairs, pairs)


@torch.no_grad()
def length(task, model):
    return task.validate(model.eval())["length"]


@torch.no_grad()
def planned_error(task):
    error = task.validate(task.model.eval())["planned"]
    task.model.train()
    return error


def test_lengths_are_matched_on_the_whole(task):
    model = task.model.eval()
    assert abs(length(task, model) - 1) > 0.1
    task.match_lengths(model)
    assert length(task, model) == pytest.approx(1, abs=0.02)
    assert task.match_lengths(model) == pytest.approx(1, abs=1e-4)


def test_padding_changes_no_loss(task):
    """An utterance alone has the logits that it has in a batch beside a longer one."""
    model = task.model.eval()
    generator = np.random.default_rng(0)
    short = (hum(0), np.arange(TOKENS))
    alone = task._collate([short], generator, corrupt=False)
    with torch.no_grad():
        durations, logits = model(*alone[:6])
        longer = [torch.nn.functional.pad(each, (0, 3)) for each in alone[:2]]
        padded_durations, padded_logits = model(*longer, *alone[2:6])
    torch.testing.assert_close(padded_durations[:, :-3], durations)
    torch.testing.assert_close(padded_logits, logits)


def planned(symbols, units):
    return PlannedLine(
        np.arange(symbols), np.full(symbols, units, np.float32), np.zeros(129, np.float32)
    )


def test_durations_are_learnt_from_planned_lines_too():
    torch.manual_seed(0)
    pairs = [(hum(0), np.arange(TOKENS))]
    lines = [planned(n, 20.5) for n in (6, 4, 9)]
    task = TextToTokensTask(
        TextToTokens(TINY), pairs, pairs, planned=lines, valid_planned=[planned(5, 20.5)]
    )
    adam = torch.optim.Adam(task.model.parameters(), 1e-2)
    before = planned_error(task)
    for step in range(30):
        loss, figures = task.loss(step)
        assert loss.item() == pytest.approx(sum(figures.values()), rel=1e-5)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert planned_error(task) < 0.5 * before


def test_batches_are_neighbours_and_not_too_long():
    generator = np.random.default_rng(0)
    items = [3, 3, 4, 5, 5, 8, 40]
    for _ in range(50):
        batch = neighbours(items, generator, int, 12)
        assert len(batch) == 1 or len(batch) * max(batch) <= 12
        assert "".join(map(str, batch)) in "".join(map(str, items))
