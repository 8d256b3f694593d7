import numpy as np
import pytest
import torch
from fakes_training import TINY_T2S, flat, tiny_recording, tiny_set

from selftalk.models.losses import token_loss
from selftalk.models.t2s import Text2Semantic
from selftalk.models.training.semantic_task import (
    SemanticRun,
    SemanticSchedule,
    SemanticTask,
    damage,
)

SCHEDULE = SemanticSchedule(steps=12, accumulate=2, learning_rate=0.04)


def task(preferences=False):
    torch.manual_seed(3)
    items = tiny_set()
    return SemanticTask(Text2Semantic(TINY_T2S), items, items[:2], batch=3, preferences=preferences)


@pytest.mark.parametrize("preferences", [False, True])
def test_the_loss_falls(tmp_path, preferences):
    run = SemanticRun(task(preferences), SCHEDULE, tmp_path)
    before = run.task.validate(run.task.model)["tokens"]
    run.fit()
    assert run.task.validate(run.task.model)["tokens"] < 0.9 * before


def test_a_run_that_was_killed_goes_on_exactly(tmp_path):
    whole = SemanticRun(task(), SCHEDULE, tmp_path / "whole")
    whole.fit()
    stop_at = int(np.random.default_rng().integers(1, SCHEDULE.steps))
    first = SemanticRun(task(), SCHEDULE, tmp_path / "parts")
    for _ in range(stop_at):
        first._one_step()
    first.save()
    first._one_step()
    second = SemanticRun(task(), SCHEDULE, tmp_path / "parts")
    second.fit()
    assert torch.equal(flat(second.task.model), flat(whole.task.model)), stop_at


def test_a_batch_has_the_loss_of_its_items():
    trained = task()
    trained.model.eval()
    items = tiny_set()[:3]
    end = TINY_T2S.end_token

    def loss(of):
        batch = trained._collate(of)
        return token_loss(trained.model([batch]), batch.tokens, batch.token_lengths, end)

    alone = sum(loss([item]) for item in items)
    torch.testing.assert_close(loss(items), alone, rtol=1e-5, atol=1e-4)


def test_text_features_of_some_items_leave_the_others_alone():
    trained = task()
    plain = tiny_recording(40, 1)
    batch = trained._collate([plain, tiny_recording(40, 2)])
    assert batch.bert is None
    featured = tiny_recording(40, 2)
    features = np.ones((len(featured.phones), 4), np.float16)
    object.__setattr__(featured, "bert", features)
    batch = trained._collate([plain, featured])
    assert not batch.bert[0].any()
    assert batch.bert[1].all()


def test_what_is_too_long_is_left_out():
    items = [*tiny_set(), tiny_recording(2 * 54 * 25 + 2)]
    assert len(SemanticTask(Text2Semantic(TINY_T2S), items).train) == len(items) - 1


def test_damage_repeats_or_drops_a_stretch():
    tokens = np.arange(50)
    lengths = {len(damage(tokens, np.random.default_rng(seed))) for seed in range(40)}
    assert min(lengths) < 50 < max(lengths)
    assert all(len(damage(tokens[:1], np.random.default_rng(seed))) > 0 for seed in range(20))
