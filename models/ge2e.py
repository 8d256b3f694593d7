"""GE2E: the speaker encoder (Wan et al. 2018) as Resemblyzer published it, 1.4 M parameters.

Knows nothing about audio: what it hears are frames of mel power, 10 ms each.
"""

from torch import Tensor, nn

MEL_BANDS = 40
EMBEDDING_SIZE = 256
LAYERS = 3


class Ge2e(nn.Module):
    """Three LSTM layers; the last state of the last one, made positive and of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(MEL_BANDS, EMBEDDING_SIZE, LAYERS, batch_first=True)
        self.linear = nn.Linear(EMBEDDING_SIZE, EMBEDDING_SIZE)

    def forward(self, windows: Tensor) -> Tensor:
        """windows: (B, T, 40) mel power → (B, 256)."""
        _, (hidden, _) = self.lstm(windows)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)
