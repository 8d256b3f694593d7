import pytest
import torch

from selftalk.models.content_encoder import ContentEncoder, TaughtContentEncoder, level_digits
from selftalk.models.nano import NanoConfig

CONFIG = NanoConfig(symbols=5, levels=(4, 3, 2), expansion=2)
TOKENS = 30


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return ContentEncoder(CONFIG, width=16, fast_blocks=3, slow_blocks=2).eval()


@pytest.fixture
def sound():
    torch.manual_seed(1)
    return torch.randn(2, 4 * TOKENS, 80), torch.randn(2, 4 * TOKENS, 3)


@torch.no_grad()
@pytest.mark.parametrize("pieces", [(30,), (6,) + (1,) * 24, (11, 12, 7), (20, 10)])
def test_chunked_equals_whole(encoder, sound, pieces):
    whole, _ = encoder(*sound, encoder.initial_state(2))
    state, out = encoder.initial_state(2), []
    frames = [4 * piece for piece in pieces]
    for mel, prosody in zip(*(part.split(frames, dim=1) for part in sound), strict=True):
        heard, state = encoder(mel, prosody, state)
        out.append(heard.levels)
    assert whole.levels.shape == (2, TOKENS - encoder.lookahead_tokens, 9)
    torch.testing.assert_close(torch.cat(out, dim=1), whole.levels, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("which", [0, 1])
def test_it_looks_200_ms_ahead_and_no_further(encoder, sound, which):
    changed = [part.clone() for part in sound]
    changed[which][:, 4 * 20 :] += 1
    before, _ = encoder(*sound, encoder.initial_state(2))
    after, _ = encoder(*changed, encoder.initial_state(2))
    first = int((before.levels != after.levels).any(-1)[0].nonzero()[0])
    assert encoder.lookahead_tokens == 5
    # Prosody enters where only the slow blocks look ahead.
    assert first == 20 - (encoder.lookahead_tokens if which == 0 else encoder.slow.lookahead)


@torch.no_grad()
def test_the_whole_begins_as_the_stream_does(encoder, sound):
    whole = encoder.whole(*sound).levels
    streamed, _ = encoder(*sound, encoder.initial_state(2))
    assert whole.shape[1] == TOKENS
    torch.testing.assert_close(whole[:, : streamed.levels.shape[1]], streamed.levels)


def test_codes_are_the_likeliest_levels(encoder):
    codes = torch.arange(24)[None]
    scores = [
        torch.nn.functional.one_hot(digits, size).float()
        for digits, size in zip(level_digits(codes, CONFIG.levels), CONFIG.levels, strict=True)
    ]
    assert torch.equal(encoder.codes(torch.cat(scores, dim=-1)), codes)


def test_its_heads_name_every_frame(encoder, sound):
    levels, symbols, features = TaughtContentEncoder(CONFIG, encoder)(*sound)
    assert levels.shape == (2, TOKENS, 9)
    assert symbols.shape == (2, 4 * TOKENS, 5)
    assert features.shape == (2, 2 * TOKENS, 512)
