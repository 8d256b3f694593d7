"""WaveNet: gated convolutions with residual and skip connections, conditioned on a style.

Layout is (B, C, T). A mask (B, T) is True where a frame is not padding.
"""

import torch
from torch import Tensor, nn

from selftalk.models.weight_norm import normed


def masked_frames(x: Tensor, mask: Tensor | None) -> Tensor:
    """Zero the padding of x (B, C, T)."""
    return x if mask is None else x * mask[:, None]


class WaveNet(nn.Module):
    """Each layer adds to the frames and to the output; together they see layers * kernel frames."""

    def __init__(self, width: int, kernel: int, layers: int, style_width: int) -> None:
        super().__init__()
        self.style = normed(nn.Linear(style_width, 2 * width * layers))
        self.gates = nn.ModuleList(
            normed(nn.Conv1d(width, 2 * width, kernel, padding=kernel // 2)) for _ in range(layers)
        )
        # The last layer has no frames to add to, only the output.
        self.mixes = nn.ModuleList(
            normed(nn.Conv1d(width, 2 * width if index < layers - 1 else width, 1))
            for index in range(layers)
        )

    def forward(self, x: Tensor, style: Tensor, mask: Tensor | None) -> Tensor:
        """Frames (B, C, T) and style (B, G) → (B, C, T)."""
        width = x.shape[1]
        styles = self.style(style)[:, :, None].chunk(len(self.gates), dim=1)
        output = torch.zeros_like(x)
        for gate, mix, condition in zip(self.gates, self.mixes, styles, strict=True):
            value, opening = (gate(x) + condition).chunk(2, dim=1)
            y = mix(torch.tanh(value) * torch.sigmoid(opening))
            if y.shape[1] > width:
                x = masked_frames(x + y[:, :width], mask)
                y = y[:, width:]
            output = output + y
        return masked_frames(output, mask)
