"""Alignment: which symbol is spoken at which token and frame, from durations.

Durations are counted in units of 25 ms, whole or not; tokens come at 25 Hz, frames at 100 Hz.
Shared by synthesis, where durations are predicted, and by training, where the teacher's are known.
Knows nothing about sound.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.text.symbols import SYMBOLS_V2

Int64Array = npt.NDArray[np.int64]
Durations = Int64Array | Float32Array

SAMPLE_RATE_HZ = 24_000
UNIT_SAMPLES = 600  # 25 ms
FRAME_SAMPLES = 240  # 100 Hz
FRAMES_PER_TOKEN = 4
TOKEN_SAMPLES = FRAMES_PER_TOKEN * FRAME_SAMPLES  # 25 Hz
NO_SYMBOL = len(SYMBOLS_V2)
"""Stands where nothing is known about the text, and before and after it."""
NEIGHBOURS = (-2, -1, 0, 1, 2)
"""The symbols around the spoken one that colour it."""


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
    frame_place: Float32Array
    """(4 T, 2) like `token_place`."""

    @property
    def tokens(self) -> int:
        """Number of tokens T."""
        return len(self.token_symbol)


def align(durations: Durations, tokens: int | None = None) -> Alignment:
    """Spread symbols over tokens.

    Args:
        durations: (N,) in units of 25 ms; a symbol of 0 units is passed over.
        tokens: how many tokens; by default as many as the durations fill.
    """
    ends = np.rint(np.cumsum(durations, dtype=np.float64) * UNIT_SAMPLES).astype(np.int64)
    if tokens is None:
        tokens = int(-(-ends[-1] // TOKEN_SAMPLES))

    def spoken_at(centres: npt.NDArray[np.floating]) -> tuple[Int64Array, Float32Array]:
        symbol = np.minimum(np.searchsorted(ends, centres, side="right"), len(durations) - 1)
        lengths = np.maximum(durations[symbol], 1)
        starts = np.concatenate([[0], ends[:-1]])[symbol]
        progress = ((centres - starts) / (lengths * UNIT_SAMPLES)).clip(0, 1)
        return symbol, np.stack([progress, np.log(lengths)], axis=1).astype(np.float32)

    token_symbol, token_place = spoken_at((np.arange(tokens) + 0.5) * TOKEN_SAMPLES)
    frames = np.arange(FRAMES_PER_TOKEN * tokens)
    frame_symbol, frame_place = spoken_at((frames + 0.5) * FRAME_SAMPLES)
    return Alignment(ends, token_symbol, token_place, frame_symbol, frame_place)


@dataclass(frozen=True, slots=True)
class FrameText:
    """What is being said in each of F frames, for the vocoder."""

    symbols: Int64Array
    """(F, 5) ids of the spoken symbol and its `NEIGHBOURS`."""
    place: Float32Array
    """(F, 2) how far into the symbol (0 to 1), and the log of its duration in units."""

    def __len__(self) -> int:
        return len(self.symbols)

    def __getitem__(self, frames: slice) -> "FrameText":
        return FrameText(self.symbols[frames], self.place[frames])

    def last(self, frames: int) -> "FrameText":
        """Its last frame, repeated."""
        return FrameText(
            np.repeat(self.symbols[-1:], frames, axis=0), np.repeat(self.place[-1:], frames, axis=0)
        )


def frame_text(symbols: Int64Array, alignment: Alignment, no_symbol: int = NO_SYMBOL) -> FrameText:
    """The text of every frame of aligned symbols (N,)."""
    reach = max(NEIGHBOURS)
    padded = np.pad(symbols, reach, constant_values=no_symbol)
    around = alignment.frame_symbol[:, None] + reach + np.array(NEIGHBOURS)
    return FrameText(padded[around], alignment.frame_place)


def unknown_text(frames: int, no_symbol: int = NO_SYMBOL) -> FrameText:
    """Where nothing is known about the text, as in the conversion of a recording."""
    return FrameText(
        np.full((frames, len(NEIGHBOURS)), no_symbol, np.int64), np.zeros((frames, 2), np.float32)
    )
