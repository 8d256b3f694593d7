"""ContentEncoder: sound → the tokens that the tokenizer would have heard, without Whisper, live.

A pupil of the tokenizer: it reads mel bands, and pitch and energy beside them, and says for every
token which level each value of the quantizer has. Convolutions only, causal but for 200 ms, whose
streaming state is a value; chunked output equals whole output exactly.

    mel bands, 100 Hz ─pairs─▶ fast blocks, 50 Hz ─pairs─▶ (+ prosody) slow blocks, 25 Hz ─▶ levels

The first chunk has to be longer than the look-ahead. Knows nothing about how sound becomes mel
bands.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from selftalk.models.convnext import ConvNeXtStack, ConvState
from selftalk.models.nano import FRAMES_PER_TOKEN, NanoConfig
from selftalk.models.tokenizer import FEATURES, PROSODY

MEL_BANDS = 80
SILENCE = -1.25  # mel band of digital silence, see `live_log_mel`
STEPS_PER_TOKEN = 2  # of the fast blocks, and of Whisper's features


class ContentState(NamedTuple):
    """What the encoder has to remember of the past."""

    fast: tuple[ConvState, ...]
    prosody: Tensor  # (B, P, C): waits for what the fast blocks say later; at the start P is 0
    slow: tuple[ConvState, ...]


class Encoded(NamedTuple):
    """What is heard in T tokens."""

    levels: Tensor  # (B, T, sum of levels): one score for each level of each value
    hints: Tensor  # (B, T, C): what the heads read that exist in training only


class ContentEncoder(nn.Module):
    """Mel bands and prosody at 100 Hz → levels of the quantizer at 25 Hz."""

    def __init__(
        self, config: NanoConfig, width: int = 256, fast_blocks: int = 5, slow_blocks: int = 3
    ) -> None:
        super().__init__()
        hidden = config.expansion * width
        self.levels = config.levels
        self.input = nn.Linear(FRAMES_PER_TOKEN // STEPS_PER_TOKEN * MEL_BANDS, width)
        self.norm = nn.LayerNorm(width)
        self.fast = ConvNeXtStack(fast_blocks, width, hidden, config.kernel, ahead_blocks=2)
        self.join = nn.Linear(STEPS_PER_TOKEN * width, width)
        self.prosody = nn.Linear(FRAMES_PER_TOKEN * PROSODY, width)
        self.slow = ConvNeXtStack(slow_blocks, width, hidden, 5, ahead_blocks=1)
        self.out_norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, sum(config.levels))
        assert self.fast.lookahead % STEPS_PER_TOKEN == 0, self.fast.lookahead
        self.lookahead_tokens = self.fast.lookahead // STEPS_PER_TOKEN + self.slow.lookahead

    def initial_state(self, batch: int) -> ContentState:
        """The state before the first token."""
        waiting = self.input.weight.new_zeros(batch, 0, FRAMES_PER_TOKEN * PROSODY)
        return ContentState(self.fast.initial_state(batch), waiting, self.slow.initial_state(batch))

    def forward(
        self, mel: Tensor, prosody: Tensor, state: ContentState
    ) -> tuple[Encoded, ContentState]:
        """Hear mel (B, 4 T, 80) and prosody (B, 4 T, 3).

        Returns:
            What is heard in T tokens, less `lookahead_tokens` on the first call, which has to
            have more than those; the state.
        """
        B, frames, _ = mel.shape
        T = frames // FRAMES_PER_TOKEN
        x = self.norm(self.input(mel.reshape(B, STEPS_PER_TOKEN * T, -1)))
        x, fast = self.fast(x, state.fast)
        x = self.join(x.reshape(B, x.shape[1] // STEPS_PER_TOKEN, -1))
        hummed = torch.cat([state.prosody, prosody.reshape(B, T, -1)], dim=1)
        ready = x.shape[1]
        x, slow = self.slow(x + self.prosody(hummed[:, :ready]), state.slow)
        return self._heads(x), ContentState(fast, hummed[:, ready:], slow)

    def whole(self, mel: Tensor, prosody: Tensor) -> Encoded:
        """Hear a complete utterance, (B, 4 T, 80) and (B, 4 T, 3); silence beyond its end."""
        beyond = (0, 0, 0, FRAMES_PER_TOKEN * self.lookahead_tokens)
        mel, prosody = F.pad(mel, beyond, value=SILENCE), F.pad(prosody, beyond)
        return self(mel, prosody, self.initial_state(len(mel)))[0]

    def tokens(self, mel: Tensor, prosody: Tensor) -> Tensor:
        """The tokens of an utterance: (B, T)."""
        return self.codes(self.whole(mel, prosody).levels)

    def codes(self, levels: Tensor) -> Tensor:
        """The likeliest level of each value, as code numbers: (B, T, sum of levels) → (B, T)."""
        code = torch.zeros(levels.shape[:-1], dtype=torch.int64)
        for scores in reversed(levels.split(self.levels, dim=-1)):
            code = code * scores.shape[-1] + scores.argmax(-1)
        return code

    def _heads(self, x: Tensor) -> Encoded:
        x = self.out_norm(x)
        return Encoded(self.out(x), x)


class TaughtContentEncoder(nn.Module):
    """The encoder with the heads that only its training needs: symbols and Whisper's features."""

    def __init__(self, config: NanoConfig, encoder: ContentEncoder) -> None:
        super().__init__()
        width = encoder.out.in_features
        self.encoder = encoder
        self.symbols = config.symbols
        self.symbol_out = nn.Linear(width, FRAMES_PER_TOKEN * config.symbols)
        self.feature_out = nn.Linear(width, STEPS_PER_TOKEN * FEATURES)

    def forward(self, mel: Tensor, prosody: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hear mel (B, 4 T, 80) and prosody (B, 4 T, 3).

        Returns:
            Scores of the levels (B, T, sum of levels), symbol logits (B, 4 T, symbols) and
            Whisper's features, each frame normalized (B, 2 T, 512).
        """
        heard = self.encoder.whole(mel, prosody)
        B, T, _ = heard.hints.shape
        symbols = self.symbol_out(heard.hints).reshape(B, FRAMES_PER_TOKEN * T, self.symbols)
        features = self.feature_out(heard.hints).reshape(B, STEPS_PER_TOKEN * T, FEATURES)
        return heard.levels, symbols, features


def level_digits(codes: Tensor, levels: tuple[int, ...]) -> list[Tensor]:
    """Code numbers (B, T) as the level of each value, each (B, T)."""
    digits = []
    for level in levels:
        digits.append(codes % level)
        codes = codes // level
    return digits
