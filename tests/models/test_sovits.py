"""Laws of SoVITS on tiny random models: windows, padding, weight norm."""

import copy
import dataclasses

import pytest
import torch

from selftalk.models import weight_norm
from selftalk.models.generator import GeneratorConfig
from selftalk.models.sovits import Sovits, SovitsConfig, at_speed, frames_at_speed, slices

TINY = SovitsConfig(
    symbols=20,
    style_bins=40,
    style_width=8,
    ssl_width=12,
    codebook=16,
    width=8,
    hidden=16,
    layers=2,
    cross_width=8,
    latent=8,
    generator=GeneratorConfig(channels=32),
    window_samples=128,
)
PRO = dataclasses.replace(TINY, speaker_width=10, style_width=4)
TOKENS = 70


def make(config):
    torch.manual_seed(0)
    model = Sovits(config).eval()
    for coupling in model.flow.couplings:  # they begin as the identity
        torch.nn.init.normal_(coupling.leave.weight, std=0.3)
    return model


def utterance(model, tokens=TOKENS):
    torch.manual_seed(1)
    config = model.config
    style = torch.randn(1, config.style_width)
    said = torch.randint(config.codebook, (1, tokens))
    frames = model.encode(said, torch.randint(config.symbols, (1, 9)), style)
    return frames, 0.5 * torch.randn(1, config.latent, frames.shape[1]), style


@pytest.mark.parametrize("config", [TINY, PRO])
@pytest.mark.parametrize("window_frames", [20, 33])
@torch.inference_mode()
def test_windows_equal_whole(config, window_frames):
    """With the margin and one noise for each absolute frame, no seam is left to hide."""
    model = make(config)
    frames, noise, style = utterance(model)
    whole = model.decode_window(frames, noise, style)
    hop, margin, count = config.hop_samples, model.margin_frames, frames.shape[1]
    pieces = []
    for start in range(0, count, window_frames):
        end = min(start + window_frames, count)
        left, right = max(0, start - margin), min(count, end + margin)
        wave = model.decode_window(frames[:, left:right], noise[:, :, left:right], style)
        pieces.append(wave[:, (start - left) * hop : (end - left) * hop])
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kept", [(0, 30), (0, 1), (7, 8), (5, 25), (29, 30), (0, 12), (20, 30)])
@torch.inference_mode()
def test_what_is_kept_of_a_window_is_what_it_would_be(kept):
    """Only the computing that nothing needs is left out."""
    model = make(TINY)
    frames, noise, style = utterance(model, 15)
    hop, (first, end) = TINY.hop_samples, kept
    whole = model.decode_window(frames, noise, style)
    wave = model.decode_window(frames, noise, style, torch.tensor(kept))
    torch.testing.assert_close(wave, whole[:, first * hop : end * hop], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kernels", [(16, 16, 8, 2, 2), (20, 16, 8, 2, 2)])
@torch.inference_mode()
def test_the_margin_is_as_wide_as_it_must_be(kernels):
    """A frame has a part in everything up to the margin, and in nothing beyond."""
    generator = dataclasses.replace(TINY.generator, kernels=kernels)
    # In double precision the influence of the farthest frames does not drown in rounding.
    model = make(dataclasses.replace(TINY, generator=generator)).generator.double()
    style, latent = torch.randn(1, TINY.style_width).double(), torch.randn(1, 8, 40).double()
    changed, centre = latent.clone(), 20
    changed[:, :, centre] += 10
    differs = (model(latent, style) != model(changed, style))[0]
    touched = differs.unflatten(0, (-1, TINY.hop_samples)).any(dim=1).nonzero()
    reach = max(centre - int(touched.min()), int(touched.max()) - centre)
    assert reach == generator.margin_frames


@pytest.mark.parametrize("config", [TINY, PRO])
@torch.inference_mode()
def test_padding_changes_nothing(config):
    model = make(config)
    tokens, phones = torch.randint(16, (2, 12)), torch.randint(20, (2, 9))
    style = torch.randn(2, config.style_width)
    frame_mask = torch.arange(24) < torch.tensor([[24], [14]])
    phone_mask = torch.arange(9) < torch.tensor([[9], [5]])
    together = model.encode(tokens, phones, style, frame_mask, phone_mask)
    alone = model.encode(tokens[1:, :7], phones[1:, :5], style[1:])
    torch.testing.assert_close(together[1:, :14], alone)
    assert not together[1, 14:].any()


@torch.inference_mode()
def test_padding_of_the_latent_changes_nothing():
    model = make(TINY)
    z, style = torch.randn(2, TINY.latent, 20), torch.randn(2, TINY.style_width)
    mask = torch.arange(20) < torch.tensor([[20], [12]])
    z = z * mask[:, None]
    forward = model.flow(z, style, mask)
    torch.testing.assert_close(forward[1:, :, :12], model.flow(z[1:, :, :12], style[1:]))
    torch.testing.assert_close(model.flow.reverse(forward, style, mask), z)


@pytest.mark.parametrize(("speed", "frames"), [(1.0, 20), (1.25, 17), (0.8, 26), (2.0, 11)])
@torch.inference_mode()
def test_speed(speed, frames):
    assert frames_at_speed(20, speed) == frames
    assert at_speed(torch.randn(1, 20, 4), speed).shape == (1, frames, 4)


def test_slices_begin_where_they_should():
    x = torch.arange(20.0).view(2, 1, 10)
    assert slices(x, torch.tensor([0, 7]), 3).tolist() == [[[0, 1, 2]], [[17, 18, 19]]]


@torch.inference_mode()
def test_a_variant_with_speaker_needs_one():
    model = make(PRO)
    with pytest.raises(AssertionError, match="speaker embedding"):
        model.style(torch.rand(1, 65, 30))
    assert model.style(torch.rand(1, 65, 30), torch.randn(1, 10)).shape == (1, 4)


def test_weight_norm_changes_the_parameters_and_not_the_waveform():
    model = make(TINY)
    frames, noise, style = utterance(model, tokens=6)
    before = model.decode_window(frames, noise, style)
    names = set(model.state_dict())

    split = copy.deepcopy(model)
    weight_norm.attach(split)
    assert any("parametrizations" in name for name in split.state_dict())
    assert "generator.enter.weight" in split.state_dict()  # the reference leaves this one alone
    torch.testing.assert_close(split.decode_window(frames, noise, style), before)

    weight_norm.fold(split)
    assert set(split.state_dict()) == names
    torch.testing.assert_close(split.decode_window(frames, noise, style), before)
