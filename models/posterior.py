"""PosteriorEncoder: spectrogram of speech → its latent; only training needs it.

Layout is (B, C, T).
"""

import torch
from torch import Tensor, nn

from selftalk.models.wavenet import WaveNet, masked_frames


class PosteriorEncoder(nn.Module):
    """A long WaveNet between two pointwise layers."""

    def __init__(
        self,
        bins: int,
        width: int,
        latent: int,
        style_width: int,
        *,
        kernel: int = 5,
        layers: int = 16,
    ) -> None:
        super().__init__()
        self.enter = nn.Conv1d(bins, width, 1)
        self.wavenet = WaveNet(width, kernel, layers, style_width)
        self.leave = nn.Conv1d(width, 2 * latent, 1)

    def forward(
        self, spectrum: Tensor, style: Tensor, noise: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the latent of speech.

        Args:
            spectrum: (B, F, T) linear magnitudes.
            style: (B, G).
            noise: (B, C, T) standard normal.
            mask: (B, T).

        Returns:
            Sample, mean and logarithm of the scale, each (B, C, T).
        """
        x = self.wavenet(masked_frames(self.enter(spectrum), mask), style, mask)
        mean, log_scale = masked_frames(self.leave(x), mask).chunk(2, dim=1)
        z = masked_frames(mean + noise * torch.exp(log_scale), mask)
        return z, mean, log_scale
