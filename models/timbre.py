"""TimbreEncoder: a recording → the timbre by which nano speaks like it.

An ECAPA-TDNN (`speaker.py`) listens to mel bands and names a point in the space of the teacher's
voices. Knows nothing about how it is trained.
"""

from torch import Tensor, nn

from selftalk.models.speaker import SpeakerConfig, SpeakerEncoder

TIMBRE_SIZE = 128
SMALL = SpeakerConfig(channels=128, squeeze=64)


class TimbreEncoder(nn.Module):
    """Mel bands (B, 80, T) → timbres of unit variance (B, 128)."""

    def __init__(self, config: SpeakerConfig = SMALL) -> None:
        super().__init__()
        self.encoder = SpeakerEncoder(config)
        self.out = nn.Linear(config.embedding, TIMBRE_SIZE)
        self.scale = config.embedding**0.5  # the embedding has length 1

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 80, T) → (B, 128)."""
        return self.out(self.encoder(mel) * self.scale)
