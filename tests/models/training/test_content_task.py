from dataclasses import replace

import numpy as np
import torch

from selftalk.models.content_encoder import SILENCE, ContentEncoder, TaughtContentEncoder
from selftalk.models.nano import NanoConfig
from selftalk.models.tokenizer import Tokenizer
from selftalk.models.training.content_task import ContentTask, Lesson, lesson_of, masked
from selftalk.models.training.examples import kept_samples
from selftalk.models.training.loop import Run, Schedule

CONFIG = NanoConfig(symbols=6, levels=(4, 3), expansion=2)


def lesson(tokens, seed=0):
    random = np.random.default_rng(seed)
    return Lesson(
        samples=random.integers(-999, 999, 640 * tokens).astype(np.int16),
        prosody=random.random((4 * tokens, 3)).astype(np.float16),
        tokens=random.integers(0, 12, tokens),
        symbols=random.integers(0, 6, 4 * tokens).astype(np.int16),
        features=random.random((2 * tokens, 512)).astype(np.float16),
    )


def tiny_task():
    torch.manual_seed(0)
    model = TaughtContentEncoder(CONFIG, ContentEncoder(CONFIG, 16, 2, 1))
    lessons = [lesson(14, 0), lesson(6, 1)]
    return ContentTask(model, lessons, lessons[:1], batch=3, crop_tokens=10)


def test_a_step_follows_from_its_number():
    task = tiny_task()
    first, figures = task.loss(4)
    assert torch.equal(first, task.loss(4)[0])
    assert not torch.equal(first, task.loss(5)[0])
    assert set(figures) == {"levels", "symbols", "features"}


def test_what_is_beyond_an_utterance_is_not_asked():
    task = tiny_task()
    scores = torch.randn(1, 10, 7)
    tokens, known = torch.zeros(1, 10, dtype=torch.int64), torch.ones(1, 10)
    known[:, 6:] = 0
    before = task._level_loss(scores, tokens, known)
    tokens[:, 6:] = 11
    assert torch.equal(before, task._level_loss(scores, tokens, known))
    tokens[:, 5] = 11
    assert not torch.equal(before, task._level_loss(scores, tokens, known))


def test_it_learns_and_goes_on_after_a_stop(tmp_path):
    schedule = Schedule(steps=12, learning_rate=3e-3, warmup_steps=1, validate_every_steps=99)
    whole = Run(tiny_task(), schedule, tmp_path / "whole")
    before = float(whole.task.loss(0)[0].detach())
    whole.fit()
    assert float(whole.task.loss(0)[0].detach()) < before
    stopped = Run(tiny_task(), replace(schedule, steps=5), tmp_path / "stopped")
    stopped.schedule = schedule
    while stopped.step < 5:
        stopped._one_step()
    stopped.save()
    again = Run(tiny_task(), schedule, tmp_path / "stopped")
    assert again.step == 5
    again.fit()
    for one, other in zip(
        whole.task.model.parameters(), again.task.model.parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_figures_are_shares():
    task = tiny_task()
    task.model.eval()
    with torch.no_grad():
        figures = task.validate(task.model)
    assert set(figures) == {"codes", "levels", "accuracy"}
    assert all(0 <= share <= 1 for share in figures.values())


def test_masks_are_silence():
    mel = np.ones((60, 80), np.float32)
    blanked = masked(mel, np.random.default_rng(0))
    assert set(np.unique(blanked)) == {np.float32(SILENCE), np.float32(1)}
    assert np.all(mel == 1)


def test_a_lesson_has_all_its_parts_in_time(tiny_utterances):
    utterance = tiny_utterances[0]
    kept = kept_samples(utterance)
    tokens = (kept.stop - kept.start) // 960
    heard = replace(
        utterance,
        whisper=np.zeros((100, 512), np.float16),
        heard_prosody=np.zeros((4 * tokens, 3), np.float16),
        heard_mean_log_pitch=5.0,
    )
    made = lesson_of(heard, Tokenizer(NanoConfig(), width=16).eval())
    assert made.tokens.shape == (tokens,)
    assert made.samples.shape == (640 * tokens,)
    assert made.prosody.shape == (4 * tokens, 3)
    assert made.symbols.shape == (4 * tokens,)
    assert made.features.shape == (2 * tokens, 512)
