"""Likeness: how far speech is from a person, as a loss.

A speaker encoder that was trained on thousands of people hears what a spectral distance does not
weigh: which of all differences make it another person. It is fooled more easily than an ear, so
it is a loss beside others, asks for no more than the person's own recordings give, and another
encoder should judge the result.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from selftalk.models.ge2e import MEL_BANDS
from selftalk.models.nano import FRAME_SAMPLES, SAMPLE_RATE_HZ
from selftalk.stream.listening.log_mel import mel_filters
from selftalk.stream.synthesis.speaker import SAMPLE_RATE_HZ as HEARING_RATE_HZ
from selftalk.stream.synthesis.speaker import TARGET_DBFS, WINDOW_FRAMES

WINDOW_SAMPLES = SAMPLE_RATE_HZ // 40
"""25 ms, as the encoder hears at its own rate; so the bins lie 40 Hz apart as they do there."""
HEARD_BINS = HEARING_RATE_HZ // 2 // 40 + 1
HEARD_SAMPLES = WINDOW_FRAMES * FRAME_SAMPLES


class Likeness(nn.Module):
    """Distance of speech at 24 kHz from a speaker."""

    person: Tensor
    window: Tensor
    filters: Tensor

    def __init__(self, encoder: nn.Module, person: Tensor) -> None:
        """Listen with an encoder, mel power (B, T, 40) → (B, D), for a person (D,)."""
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.enough = 1.0
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

    @torch.no_grad()
    def expect(self, recordings: Sequence[Tensor]) -> None:
        """Ask for no more than recordings (samples,) of the person give on the average.

        Their mean is nearer to a person than they are; speech that comes as near deceives.
        """
        windows = [
            window
            for wave in recordings
            for window in wave.unfold(0, min(HEARD_SAMPLES, len(wave)), HEARD_SAMPLES // 2)
        ]
        heard = [self.embed(window[None]) @ self.person for window in windows]
        self.enough = float(torch.cat(heard).mean())

    def forward(self, wave: Tensor) -> Tensor:
        """(B, samples) → what their cosines lack on the average, a scalar."""
        return (self.enough - self.embed(wave) @ self.person).clamp_min(0).mean()
