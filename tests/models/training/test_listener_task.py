"""The listener learns symbols that can be heard; the vocoder is told what the listener misses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes_nano import TOKENS, hum

from selftalk.models.discriminator import SlimDiscriminators
from selftalk.models.listener import Listener
from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.training.adversarial import AdversarialRun
from selftalk.models.training.judged_vocoder_task import JudgedVocoderTask, words_loss
from selftalk.models.training.listener_task import ListenerTask, blotted, elsewhere
from selftalk.models.training.loop import Run, Schedule
from selftalk.models.training.vocoder_task import VocoderTask, crop_of

TINY = NanoConfig(
    condition=8, vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=2,
    ahead_blocks=1, kernel=3,
)  # fmt: skip
SCHEDULE = Schedule(steps=60, learning_rate=1e-2, warmup_steps=2, averaging=0.5)


def listener():
    torch.manual_seed(0)
    return Listener(TINY, width=16, blocks=2)


def whistled():
    """A hum whose second symbol is a whistle."""
    example = hum(0)
    wave = example.wave.copy()
    middle = np.flatnonzero(example.alignment.frame_symbol == 1)
    whistle = wave[240 * middle[0] : 240 * (middle[-1] + 1)]
    whistle[:] = 0.3 * np.sin(2 * np.pi * 1500 / 24_000 * np.arange(len(whistle)))
    return replace(example, wave=wave)


def task(model):
    return ListenerTask(model, [whistled()], [whistled()], batch=2, crop_tokens=12)


def batch_of(example):
    codes = np.arange(TOKENS)
    return crop_of([(example, codes, 0, False)], TOKENS, TINY.symbols)


def test_it_learns_what_is_said_when(tmp_path):
    run = Run(task(listener()), SCHEDULE, tmp_path)
    run.fit()
    assert run.validate()["accuracy"] > 0.9  # always the commonest: half


def test_a_step_follows_from_its_number():
    once = task(listener())

    def at(step):
        torch.manual_seed(step)
        return once.loss(step)[0]

    assert torch.equal(at(4), at(4))
    assert not torch.equal(at(4), at(5))


def test_what_is_beyond_an_utterance_is_not_asked():
    long = ListenerTask(listener(), [hum(0)], [hum(0)], batch=1, crop_tokens=3 * TOKENS)
    _, symbols = long._crop(hum(0), np.random.default_rng(0))
    assert (symbols[: 4 * TOKENS] >= 0).all()
    assert (symbols[4 * TOKENS :] == -100).all()


def test_noise_and_blots_change_what_is_heard_and_not_its_shape():
    waves = torch.randn(3, 4800)
    assert elsewhere(waves).shape == waves.shape
    bands = torch.rand(3, 20, 80)
    assert blotted(bands).shape == bands.shape
    assert not torch.equal(blotted(bands), bands)


def test_the_teachers_own_speech_leaves_the_teachers_impression():
    batch = batch_of(hum(0))
    words, impression = words_loss(listener().eval(), batch, batch.wave, TINY.symbols)
    assert impression.item() == pytest.approx(0, abs=1e-6)
    assert words.item() > 0
    other = words_loss(listener().eval(), batch, batch.wave.flip(1), TINY.symbols)[1]
    assert other.item() > 0.01


def test_withheld_text_is_not_asked_for():
    batch = batch_of(hum(0))
    blank = torch.full_like(batch.symbols, TINY.symbols)
    blank[:, :4] = batch.symbols[:, :4]
    first = replace(batch, symbols=blank)
    words, _ = words_loss(listener().eval(), first, batch.wave, TINY.symbols)
    scores = listener()(listener().bands(batch.wave)).symbols[0, :4]
    wanted = torch.nn.functional.cross_entropy(scores, batch.symbols[0, :4, 2])
    assert words.item() == pytest.approx(wanted.item(), rel=0.02)


def test_a_batch_without_any_text_costs_nothing():
    batch = batch_of(hum(0))
    unknown = replace(batch, symbols=torch.full_like(batch.symbols, TINY.symbols))
    words, impression = words_loss(listener().eval(), unknown, batch.wave.flip(1), TINY.symbols)
    assert words.item() == 0
    assert impression.item() > 0


def test_the_vocoder_learns_from_a_listener_that_does_not_change(tmp_path):
    ear = listener()
    before = [value.clone() for value in ear.parameters()]
    examples, tokens = [hum(0), hum(1)], [np.arange(TOKENS)] * 2
    torch.manual_seed(0)
    vocoder = VocoderTask(
        NanoVocoder(TINY), examples, tokens, examples[:1], tokens[:1], batch=2, crop_tokens=12
    )
    judged = JudgedVocoderTask(vocoder, SlimDiscriminators((1, 2, 4, 4, 4)), ear)
    run = AdversarialRun(judged, SCHEDULE, tmp_path)
    first = run.descend(1e-3)["impression"]
    run.fit()
    assert run.descend(1e-3)["impression"] < first
    for value, old in zip(ear.parameters(), before, strict=True):
        assert torch.equal(value, old)
        assert value.grad is None
