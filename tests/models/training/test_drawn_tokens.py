"""Tokens as the decoder draws them: one for each of the teacher's, of the decoder's liking."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes_nano import TOKENS, hum

from selftalk.models.nano import NanoConfig, NanoVocoder
from selftalk.models.training.drawn_tokens import draw_tokens
from selftalk.models.training.examples import Example
from selftalk.models.training.t2s_task import TextToTokens
from selftalk.models.training.vocoder_task import VocoderTask
from selftalk.stream.nano.alignment import align

TINY = NanoConfig(
    condition=8, text_width=16, text_blocks=1, text_layers=1, decoder_width=16, decoder_layers=2,
    vocoder_width=16, token_blocks=1, prosody_blocks=1, filter_blocks=2, ahead_blocks=1, kernel=3,
)  # fmt: skip


@pytest.fixture
def model() -> TextToTokens:
    torch.manual_seed(0)
    return TextToTokens(TINY)


def shortened(example: Example, tokens: int) -> Example:
    durations = np.array([2, 4, 2])
    return replace(
        example,
        durations=durations,
        alignment=align(durations, tokens),
        wave=example.wave[: 960 * tokens],
        pulses=example.pulses[: 960 * tokens],
    )


def test_every_example_gets_as_many_as_it_has_in_its_place(model):
    examples = [hum(0), shortened(hum(1), 5), hum(2)]
    drawn = draw_tokens(model, examples, seed=1)
    assert [len(tokens) for tokens in drawn] == [TOKENS, 5, TOKENS]
    again = draw_tokens(model, examples, seed=1)
    assert all((one == other).all() for one, other in zip(drawn, again, strict=True))
    other = draw_tokens(model, examples, seed=2)
    assert any((one != two).any() for one, two in zip(drawn, other, strict=True))


def test_they_are_what_the_decoder_likes(model):
    with torch.no_grad():
        model.decoder.out.weight.zero_()
        model.decoder.out.bias.zero_()
        model.decoder.out.bias[[3, 7]] = 20.0
    (drawn,) = draw_tokens(model, [hum(0)], seed=0)
    assert set(drawn.tolist()) == {3, 7}


def test_the_vocoder_meets_them_where_it_knows_the_text():
    examples, heard = [hum(0)], [np.zeros(TOKENS, np.int64)]
    drawn = [[np.full(TOKENS, 999)]]
    task = VocoderTask(
        NanoVocoder(TINY), examples, heard, examples, heard, drawn_tokens=drawn, batch=40,
        crop_tokens=TOKENS,
    )  # fmt: skip
    batch = task._draw(np.random.default_rng(0))
    met = (batch.tokens == 999).all(dim=1)
    untold = (batch.symbols == TINY.symbols).flatten(1).all(dim=1)
    assert 10 < met.sum() < 30
    assert untold.any()
    assert not (met & untold).any()
