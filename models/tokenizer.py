"""Tokenizer: speech → 25 Hz semantic tokens of 1000 codes, supervised by what was said and how.

Works on the features of a frozen Whisper encoder, because those come from real speech and
transfer to it; a side input carries pitch and energy, which Whisper discards. The quantizer sits
under weak heads that must name the phone and the pitch of every 10 ms, so a code means "this
sound, with this melody", whoever speaks ("simple, weak decoder": the supervised tokens of
CosyVoice and DSTK).
"""

import torch
from torch import Tensor, nn

from selftalk.models.convnext import ConvNeXtStack
from selftalk.models.fsq import FiniteScalarQuantizer
from selftalk.models.nano import FRAMES_PER_TOKEN, NanoConfig

FEATURES = 512  # width of the Whisper-base encoder
PROSODY = 3  # relative log pitch, voicing, energy


class Tokenizer(nn.Module):
    """Whisper features at 50 Hz and prosody at 100 Hz → tokens at 25 Hz."""

    def __init__(self, config: NanoConfig, width: int = 256) -> None:
        super().__init__()
        self.input = nn.Linear(FEATURES, width)
        self.norm = nn.LayerNorm(width)
        self.fast = ConvNeXtStack(2, width, 2 * width, 7, ahead_blocks=2)
        self.join = nn.Linear(2 * width, width)
        self.prosody = nn.Linear(FRAMES_PER_TOKEN * PROSODY, width)
        self.slow = ConvNeXtStack(2, width, 3 * width, 7, ahead_blocks=2)
        self.quantizer = FiniteScalarQuantizer(width, config.levels)
        self.restore = nn.Linear(len(config.levels), width)
        self.heads = ConvNeXtStack(2, width, 3 * width, 7, ahead_blocks=2)
        self.symbol_out = nn.Linear(width, FRAMES_PER_TOKEN * config.symbols)
        self.prosody_out = nn.Linear(width, FRAMES_PER_TOKEN * PROSODY)
        self.symbols = config.symbols

    def encode(self, features: Tensor, prosody: Tensor) -> Tensor:
        """(B, 2 T, 512) and (B, 4 T, 3) → what the quantizer reads (B, T, C)."""
        B, T2, _ = features.shape
        x = self.fast.whole(self.norm(self.input(features)))
        x = self.join(x.reshape(B, T2 // 2, -1))
        x = x + self.prosody(prosody.reshape(B, T2 // 2, -1))
        return self.slow.whole(x)

    def tokens(self, features: Tensor, prosody: Tensor) -> Tensor:
        """The tokens of an utterance: (B, T)."""
        return self.quantizer(self.encode(features, prosody))[1]

    def forward(self, features: Tensor, prosody: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read features (B, 2 T, 512) and prosody (B, 4 T, 3).

        Returns:
            Symbol logits (B, 4 T, symbols), prosody (B, 4 T, 3), codes (B, T) and the unrounded
            quantizer values (B, T, D) for the pair loss.
        """
        encoded = self.encode(features, prosody)
        values, codes = self.quantizer(encoded)
        x = self.heads.whole(self.restore(values))
        B, T, _ = x.shape
        symbols = self.symbol_out(x).reshape(B, FRAMES_PER_TOKEN * T, self.symbols)
        out = self.prosody_out(x).reshape(B, FRAMES_PER_TOKEN * T, PROSODY)
        return symbols, out, codes, self.quantizer.squash(encoded)


def mask_spans(features: Tensor, generator: torch.Generator) -> Tensor:
    """Blank two random spans of up to 8 frames each, so that context has to help."""
    B, T, _ = features.shape
    keep = torch.ones(B, T, 1)
    for row in range(B):
        for _ in range(2):
            length = int(torch.randint(0, 9, (1,), generator=generator))
            start = int(torch.randint(0, max(1, T - length), (1,), generator=generator))
            keep[row, start : start + length] = 0
    return features * keep
