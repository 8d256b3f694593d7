"""Likeness: how far speech is from a person, as a loss.

A speaker encoder that was trained on thousands of people hears what a spectral distance does not
weigh: which of all differences make it another person. It is fooled more easily than an ear, so
it is a loss beside others and another encoder should judge the result.
"""

import numpy as np
import torch
from torch import Tensor, nn

from selftalk.models.ge2e import MEL_BANDS
from selftalk.models.nano import FRAME_SAMPLES, SAMPLE_RATE_HZ
from selftalk.stream.listening.log_mel import mel_filters
from selftalk.stream.synthesis.speaker import SAMPLE_RATE_HZ as HEARING_RATE_HZ
from selftalk.stream.synthesis.speaker import TARGET_DBFS

WINDOW_SAMPLES = SAMPLE_RATE_HZ // 40
"""25 ms, as the encoder hears at its own rate; so the bins lie 40 Hz apart as they do there."""
HEARD_BINS = HEARING_RATE_HZ // 2 // 40 + 1


class Likeness(nn.Module):
    """Distance of speech at 24 kHz from a speaker."""

    person: Tensor
    window: Tensor
    filters: Tensor

    def __init__(self, encoder: nn.Module, person: Tensor) -> None:
        """Listen with an encoder, mel power (B, T, 40) → (B, D), for a person (D,)."""
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.register_buffer("person", person)
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES))
        filters = torch.from_numpy(mel_filters(MEL_BANDS).astype(np.float32))
        self.register_buffer("filters", filters * (HEARING_RATE_HZ / SAMPLE_RATE_HZ) ** 2)

    def embed(self, wave: Tensor) -> Tensor:
        """(B, samples) → (B, D), as `SpeakerEncoder` would embed each as one window."""
        level = wave.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-5)
        raised = wave * (10 ** (TARGET_DBFS / 20) / level).clamp_min(1)
        spectra = torch.stft(
            raised, WINDOW_SAMPLES, FRAME_SAMPLES, window=self.window, pad_mode="constant",
            return_complex=True,
        )[:, :HEARD_BINS]  # fmt: skip
        power = self.filters @ (spectra.real**2 + spectra.imag**2)
        embeddings: Tensor = self.encoder(power.transpose(1, 2))
        return embeddings

    def forward(self, wave: Tensor) -> Tensor:
        """(B, samples) → the mean of 1 - cosine, a scalar."""
        return 1 - (self.embed(wave) @ self.person).mean()
