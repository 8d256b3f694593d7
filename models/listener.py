"""Listener: sound → the symbol that is said in every 10 ms; a critic of the vocoder in training.

A vocoder that is only asked to be near in spectrum spends itself on what is loud, and words hang on
what is faint and short. So a network that can name symbols listens too, and what it makes of the
vocoder's speech is compared with what it makes of the teacher's, layer by layer: the perceptual
loss of Johnson et al. 2016, with a network that was taught to hear words (Germain et al. 2019 do
the same for noise reduction). It is frozen there, and ships nowhere.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from selftalk.models.convnext import ConvNeXtStack
from selftalk.models.nano import FFT_SAMPLES, NanoConfig
from selftalk.models.waveform import frame_spectra, mel_filters

MEL_BANDS = 80
FLOOR = 1e-3  # of a band's magnitude: what is quieter counts as silence
MEAN, SPREAD = -1.0, 2.5  # of the teacher's bands: what the network reads is about of unit variance


class Heard(NamedTuple):
    """What is heard in F frames of 10 ms."""

    symbols: Tensor  # (B, F, symbols): scores
    impressions: tuple[Tensor, ...]  # (B, F, C) each: what the layers made of it


class Listener(nn.Module):
    """24 kHz sound → symbols at 100 Hz; looks 18 frames to both sides."""

    mel: Tensor

    def __init__(self, config: NanoConfig, width: int = 192, blocks: int = 6) -> None:
        super().__init__()
        self.register_buffer("mel", mel_filters(FFT_SAMPLES, MEL_BANDS), persistent=False)
        self.input = nn.Linear(MEL_BANDS, width)
        self.norm = nn.LayerNorm(width)
        self.stack = ConvNeXtStack(blocks, width, 3 * width, 7, ahead_blocks=blocks)
        self.out_norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.symbols)

    def bands(self, samples: Tensor) -> Tensor:
        """Log mel bands of samples (B, F * 240), normalized: (B, F, 80)."""
        spectra = frame_spectra(samples)
        magnitude = torch.sqrt(spectra.real**2 + spectra.imag**2 + 1e-9)
        mel = magnitude @ self.mel.T
        return (torch.log(mel.clamp_min(FLOOR)) - MEAN) / SPREAD

    def forward(self, bands: Tensor) -> Heard:
        """Listen to mel bands (B, F, 80)."""
        x = self.norm(self.input(bands))
        impressions = []
        for block in self.stack.each():
            x = block.whole(x)
            impressions.append(x)
        return Heard(self.out(self.out_norm(x)), tuple(impressions))
