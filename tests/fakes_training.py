"""Tiny official models and random recordings for them."""

import numpy as np
import torch

from selftalk.models.generator import GeneratorConfig
from selftalk.models.sovits import SovitsConfig
from selftalk.models.t2s import T2SConfig
from selftalk.models.training.dataset import Recorded

TINY_T2S = T2SConfig(
    phones=322, tokens=17, width=32, layers=2, heads=2, feed_forward=64, bert_width=4
)
TINY_SOVITS = SovitsConfig(
    symbols=322, style_bins=30, style_width=8, speaker_width=6, ssl_width=12, codebook=16,
    width=8, hidden=16, layers=2, cross_width=8, latent=8, dropout=0.0,
    generator=GeneratorConfig(channels=32, rates=(4, 4), kernels=(8, 8)),
    discriminator_periods=(2,), sample_rate_hz=32_000, window_samples=64,
)  # fmt: skip
HOP = TINY_SOVITS.hop_samples


def tiny_recording(frames, seed=0, speaker=True):
    random = np.random.default_rng(seed)
    time = np.arange(HOP * frames) / 4000
    wave = 0.4 * np.sin(2 * np.pi * 200 * time) + 0.02 * random.standard_normal(len(time))
    return Recorded(
        wave=np.round(wave * 32767).astype(np.int16),
        ssl=random.standard_normal((frames, 12)).astype(np.float16),
        tokens=random.integers(0, 16, frames // 2),
        phones=random.integers(0, 322, frames // 5),
        speaker=random.standard_normal(6).astype(np.float32) if speaker else None,
    )


def tiny_set():
    return [tiny_recording(frames, seed) for seed, frames in enumerate((40, 46, 60, 52, 44, 58))]


def flat(module):
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])
