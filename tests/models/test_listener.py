import torch

from selftalk.models.listener import Listener
from selftalk.models.nano import FRAME_SAMPLES, NanoConfig

CONFIG = NanoConfig(symbols=9)
SIGHT = 18  # frames, for six blocks of kernel 7


def small():
    torch.manual_seed(0)
    return Listener(CONFIG, width=12).eval()


def test_it_names_a_symbol_for_every_frame():
    heard = small()(torch.randn(2, 50, 80))
    assert heard.symbols.shape == (2, 50, 9)
    assert [layer.shape for layer in heard.impressions] == [(2, 50, 12)] * 6


def test_it_looks_as_far_as_it_says_and_no_farther():
    model, bands = small().double(), torch.randn(1, 80, 80).double()
    other = bands.clone()
    other[:, 40] += 1
    change = (model(bands).symbols - model(other).symbols).abs().amax(-1)[0]
    assert set(change.nonzero().flatten().tolist()) == set(range(40 - SIGHT, 40 + SIGHT + 1))


def test_bands_belong_to_their_frames_and_bear_silence():
    model = small()
    wave = torch.zeros(1, 20 * FRAME_SAMPLES)
    wave[:, 10 * FRAME_SAMPLES : 11 * FRAME_SAMPLES] = torch.randn(FRAME_SAMPLES)
    loudness = model.bands(wave).mean(-1)[0]
    assert loudness.argmax() == 10
    assert torch.isfinite(loudness).all()
    assert loudness[:8].max() < loudness[10] - 0.5
