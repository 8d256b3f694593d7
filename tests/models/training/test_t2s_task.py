import numpy as np
import pytest
import torch
from fakes_nano import TOKENS, hum

from selftalk.models.nano import NanoConfig
from selftalk.models.training.t2s_task import TextToTokens, TextToTokensTask

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
