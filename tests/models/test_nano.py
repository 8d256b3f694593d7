import pytest
import torch

from selftalk.models.nano import NanoConfig, NanoVocoder, TextEncoder, TokenDecoder

TINY = NanoConfig(
    symbols=20, levels=(3, 2), speaker=5, condition=8, text_width=16, text_blocks=1,
    text_layers=1, decoder_width=16, decoder_layers=2, vocoder_width=16, token_blocks=1,
    prosody_blocks=1, filter_blocks=3, ahead_blocks=2, kernel=3,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def randomize(module):
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module.eval()


@pytest.mark.parametrize("pieces", [(12,), (3, 4, 5), (1, 1, 1, 9)])
def test_vocoder_chunked_equals_whole(pieces):
    vocoder = randomize(NanoVocoder(TINY))
    tokens = torch.randint(0, 6, (2, 12))
    symbols, place = torch.randint(0, 21, (2, 48, 5)), torch.rand(2, 48, 2)
    speaker = torch.randn(2, 5)
    state = vocoder.initial_state(2)
    whole_prosody, whole_filters, _ = vocoder(tokens, symbols, place, speaker, state)
    prosody, filters, start = [], [], 0
    for length in pieces:
        span, frames = slice(start, start + length), slice(4 * start, 4 * (start + length))
        made = vocoder(tokens[:, span], symbols[:, frames], place[:, frames], speaker, state)
        prosody.append(made[0])
        filters.append(made[1])
        state, start = made[2], start + length
    assert whole_filters.shape == (2, 48 - vocoder.lookahead_frames, 5 * 481)
    torch.testing.assert_close(torch.cat(prosody, 1), whole_prosody, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(torch.cat(filters, 1), whole_filters, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("pieces", [(1,) * 7, (3, 4)])
def test_token_decoder_stepwise_equals_whole(pieces):
    decoder = randomize(TokenDecoder(TINY))
    previous = torch.randint(0, 7, (2, 7))
    context, place = torch.randn(2, 7, 16), torch.randn(2, 7, 2)
    whole, _ = decoder(previous, context, place, decoder.initial_state(2))
    state, out, start = decoder.initial_state(2), [], 0
    for length in pieces:
        span = slice(start, start + length)
        logits, state = decoder(previous[:, span], context[:, span], place[:, span], state)
        out.append(logits)
        start += length
    torch.testing.assert_close(torch.cat(out, 1), whole, atol=1e-5, rtol=1e-5)


def test_padding_does_not_change_what_is_encoded():
    encoder = randomize(TextEncoder(TINY))
    symbols, speaker = torch.randint(1, 20, (1, 6)), torch.randn(1, 5)
    alone = encoder(symbols, speaker, torch.ones(1, 6, dtype=torch.bool))
    longer = torch.nn.functional.pad(symbols, (0, 5), value=3)
    mask = torch.tensor([[True] * 6 + [False] * 5])
    padded = encoder(longer, speaker, mask)
    torch.testing.assert_close(padded[1][:, :6], alone[1], atol=1e-4, rtol=1e-4)


def test_given_prosody_replaces_the_predicted_one():
    vocoder = randomize(NanoVocoder(TINY))
    tokens, symbols = torch.randint(0, 6, (1, 5)), torch.randint(0, 20, (1, 20, 5))
    said = (tokens, symbols, torch.rand(1, 20, 2), torch.randn(1, 5), vocoder.initial_state(1))
    predicted, free, _ = vocoder(*said)
    forced = vocoder(*said, torch.ones(1, 20, 3))
    torch.testing.assert_close(forced[0], predicted)
    assert not torch.allclose(forced[1], free)
