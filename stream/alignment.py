"""Alignment: which symbol is spoken at which token and frame, from durations.

Durations are counted in units of 25 ms; tokens come at 25 Hz, frames at 100 Hz. Shared by
synthesis, where durations are predicted, and by training, where the teacher's are known.
Knows nothing about sound.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.audio import Float32Array

Int64Array = npt.NDArray[np.int64]

SAMPLE_RATE_HZ = 24_000
UNIT_SAMPLES = 600  # 25 ms
FRAME_SAMPLES = 240  # 100 Hz
FRAMES_PER_TOKEN = 4
TOKEN_SAMPLES = FRAMES_PER_TOKEN * FRAME_SAMPLES  # 25 Hz


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which symbol is spoken when; N symbols, T tokens."""

    ends_samples: Int64Array
    """(N,) where each symbol ends."""
    token_symbol: Int64Array
    """(T,) index of the symbol at each token's centre."""
    token_place: Float32Array
    """(T, 2) how far into that symbol (0 to 1), and the log of its duration in units."""
    frame_symbol: Int64Array
    """(4 T,) index of the symbol at each frame's centre."""

    @property
    def tokens(self) -> int:
        """Number of tokens T."""
        return len(self.token_symbol)


def align(durations: Int64Array, tokens: int | None = None) -> Alignment:
    """Spread symbols over tokens.

    Args:
        durations: (N,) in units of 25 ms; a symbol of 0 units is passed over.
        tokens: how many tokens; by default as many as the durations fill.
    """
    ends = np.cumsum(durations) * UNIT_SAMPLES
    if tokens is None:
        tokens = int(-(-ends[-1] // TOKEN_SAMPLES))

    def symbol_at(samples: npt.NDArray[np.floating]) -> Int64Array:
        return np.minimum(np.searchsorted(ends, samples, side="right"), len(durations) - 1)

    centres = (np.arange(tokens) + 0.5) * TOKEN_SAMPLES
    symbol = symbol_at(centres)
    lengths = np.maximum(durations[symbol], 1)
    starts = ends[symbol] - durations[symbol] * UNIT_SAMPLES
    progress = ((centres - starts) / (lengths * UNIT_SAMPLES)).clip(0, 1)
    return Alignment(
        ends_samples=ends,
        token_symbol=symbol,
        token_place=np.stack([progress, np.log(lengths)], axis=1).astype(np.float32),
        frame_symbol=symbol_at((np.arange(FRAMES_PER_TOKEN * tokens) + 0.5) * FRAME_SAMPLES),
    )
