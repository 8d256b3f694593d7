"""Losses: padding never counts, and minimising them teaches a tiny model."""

import pytest
import torch
from torch.nn import functional as F

from selftalk.models import weight_norm
from selftalk.models.generator import GeneratorConfig
from selftalk.models.losses import (
    discriminator_loss,
    feature_loss,
    generator_loss,
    kl_divergence,
    token_loss,
    token_targets,
    top_accuracy,
)
from selftalk.models.sovits import SovitsConfig, SpeechBatch, TrainableSovits, slices
from selftalk.models.spectral import log_mel, mel_spectrogram, spectrogram
from selftalk.models.t2s import T2SConfig, Text2Semantic, Utterance

END = 9


def test_targets_end_after_each_item():
    tokens = torch.tensor([[1, 2, 3], [4, 0, 0]])
    targets = token_targets(tokens, torch.tensor([3, 1]), END)
    assert targets.tolist() == [[1, 2, 3, END], [4, END, END, END]]


def test_token_loss_ignores_padding():
    torch.manual_seed(0)
    tokens, lengths = torch.randint(END, (2, 5)), torch.tensor([5, 2])
    logits = torch.randn(2, 6, END + 1)
    changed = logits.clone()
    changed[1, 3:] = 7
    assert token_loss(logits, tokens, lengths, END) == token_loss(changed, tokens, lengths, END)
    even = torch.zeros(2, 6, END + 1)
    expected = (5 + 1 + 2 + 1) * torch.tensor(END + 1.0).log()
    torch.testing.assert_close(token_loss(even, tokens, lengths, END), expected)


def test_top_accuracy():
    logits = torch.tensor([[[3.0, 2, 1, 0], [3, 2, 1, 0], [3, 2, 1, 0], [3, 2, 1, 0]]])
    targets = torch.tensor([[0, 1, 2, 3]])
    assert top_accuracy(logits, targets, ignore=-1, best=2) == 0.5
    assert top_accuracy(logits, targets, ignore=3, best=3) == 1.0


def test_kl_is_zero_on_average_where_prior_and_posterior_agree():
    torch.manual_seed(0)
    mean, log_scale = torch.randn(1, 4, 5000), 0.3 * torch.randn(1, 4, 5000)
    z = mean + torch.randn_like(mean) * log_scale.exp()
    assert abs(kl_divergence(z, log_scale, mean, log_scale, None) / 4) < 0.02
    assert kl_divergence(z, log_scale, mean + 3, log_scale, None) / 4 > 1


def test_kl_ignores_padding():
    torch.manual_seed(0)
    z, posterior, mean, log_scale = torch.randn(4, 2, 3, 8)
    mask = torch.arange(8) < torch.tensor([[8], [5]])
    together = kl_divergence(z, posterior, mean, log_scale, mask)
    first = kl_divergence(z[:1], posterior[:1], mean[:1], log_scale[:1], None)
    second = kl_divergence(*(each[1:, :, :5] for each in (z, posterior, mean, log_scale)), None)
    torch.testing.assert_close(together, (8 * first + 5 * second) / 13)


def test_adversarial_losses_of_perfect_judges():
    ones, zeros = [torch.ones(1, 4)] * 2, [torch.zeros(1, 4)] * 2
    assert discriminator_loss(ones, zeros) == 0
    assert discriminator_loss(zeros, ones) == 4
    assert generator_loss(ones) == 0
    assert generator_loss(zeros) == 2
    assert feature_loss([ones], [zeros]) == 4


def untouched(model):
    """Parameters that no gradient has reached."""
    return {
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    }


@pytest.mark.parametrize("mask", ["full", "prefix"])
def test_t2s_learns(mask):
    torch.manual_seed(0)
    config = T2SConfig(
        phones=12, tokens=END + 1, width=32, layers=2, heads=2, feed_forward=64, mask=mask,
        bert_width=4,
    )  # fmt: skip
    model = Text2Semantic(config)
    batch = Utterance(
        torch.randint(12, (4, 6)),
        torch.tensor([6, 5, 4, 6]),
        torch.randint(END, (4, 8)),
        torch.tensor([8, 6, 7, 5]),
        torch.randn(4, 6, 4),
    )
    prompts = [batch] if mask == "prefix" else []
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = token_loss(model([*prompts, batch]), batch.tokens, batch.token_lengths, END)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert untouched(model) == set()
    assert losses[-1] < 0.3 * losses[0]


def test_sovits_learns():
    torch.manual_seed(0)
    config = SovitsConfig(
        symbols=20, style_bins=30, style_width=8, speaker_width=6, ssl_width=12, codebook=16,
        width=8, hidden=16, layers=2, cross_width=8, latent=8, dropout=0.0,
        generator=GeneratorConfig(channels=32, rates=(4, 4), kernels=(8, 8)), window_samples=64,
    )  # fmt: skip
    model = TrainableSovits(config)
    weight_norm.attach(model)
    seconds = torch.arange(2, dtype=torch.float32)[:, None] + torch.arange(16 * 30) / 4000
    wave = 0.5 * torch.sin(2 * torch.pi * 300 * seconds)
    spectrum = spectrogram(wave, config.window_samples, config.hop_samples)
    mask = torch.arange(30) < torch.tensor([[30], [24]])
    batch = SpeechBatch(
        torch.randn(2, 30, 12), spectrum, mask, torch.randint(20, (2, 5)),
        torch.ones(2, 5, dtype=torch.bool), torch.randn(2, 6),
    )  # fmt: skip
    starts, size = torch.tensor([3, 8]), 16
    target = slices(log_mel(spectrum, 20, config.sample_rate_hz), starts, size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        result = model(batch, torch.randn(2, 8, 30), starts, size)
        mel = mel_spectrogram(result.wave, 20, config.sample_rate_hz, 64, 16)
        kl = kl_divergence(
            result.z_p, result.posterior_log_scale, result.mean, result.log_scale, mask
        )
        loss = 45 * F.l1_loss(mel, target) + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    frozen = {"sovits.ssl_in.weight", "sovits.ssl_in.bias"}
    assert untouched(model) == frozen
    assert losses[-1] < 0.7 * losses[0]
