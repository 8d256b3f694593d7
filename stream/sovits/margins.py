"""Margins: how much context windows of a GPT-SoVITS vocoder need to agree with the whole.

The same tokens and noise are decoded at once and in windows with more and more context after them.
What differs is the error of the windows; a wider margin makes it smaller, and first sound later.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sovits.vocoder import SentenceEncoder, SovitsVocoder, WindowSizes
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.verification import decibels

MARGINS_FRAMES = (4, 8, 12, 16, 24, 32, 48)
TOKENS, PHONES, CHUNK_TOKENS = 75, 30, 16


class KnownFrames:
    """Stands in for the encoder: gives the frames of the whole sentence, as far as it was said."""

    speed = 1.0

    def __init__(self, frames: Float32Array, style: Float32Array, frames_per_token: int) -> None:
        self.style = style
        self.alignment = np.zeros((0, 0), np.float32)
        self._frames, self._frames_per_token = frames, frames_per_token
        self._said = 0

    def push(self, tokens: npt.NDArray[np.int64]) -> Float32Array:
        """The frames (T, D) of all tokens so far."""
        self._said += len(tokens)
        return self._frames[: self._said * self._frames_per_token]


@dataclass(frozen=True, slots=True)
class WindowErrors:
    """How exact windows are."""

    margin_snr_db: dict[int, float]
    """Signal to error for each right margin in frames, in growing order."""
    shipped_margin_frames: int

    @property
    def shipped_db(self) -> float:
        """With the margin of the bundle."""
        return self.margin_snr_db[self.shipped_margin_frames]

    def smallest_margin(self, wanted_db: float) -> int | None:
        """The smallest margin that is exact enough, as are all wider ones; None if none is."""
        good = None
        for margin in sorted(self.margin_snr_db, reverse=True):
            if self.margin_snr_db[margin] < wanted_db:
                break
            good = margin
        return good


def window_errors(
    bundle: Bundle, style: Float32Array, margins: Sequence[int] = MARGINS_FRAMES
) -> WindowErrors:
    """Decode one sentence at once and in windows of each right margin, the bundle's own included.

    The encoder has read the whole sentence on both sides: what it would say otherwise while the
    rest of the sentence is unknown is no fault of the windows.
    """
    vocoder = SovitsVocoder(bundle)
    random = np.random.default_rng(0)
    tokens = random.integers(0, int(bundle.manifest.numbers["t2s_tokens"]) - 1, TOKENS)
    phones = random.integers(1, 300, PHONES)
    frames = vocoder.stream(phones, style)._encoder.push(tokens)
    known = KnownFrames(frames, style, vocoder.sizes.frames_per_token)

    def spoken(chunk: int, sizes: WindowSizes) -> Float32Array:
        stream = vocoder.stream(phones, style, sizes=sizes)
        stream._encoder = cast(SentenceEncoder, copy.copy(known))
        starts = range(0, TOKENS, chunk)
        pieces = [stream.push(tokens[start : start + chunk]) for start in starts]
        return np.concatenate([*pieces, stream.flush()])

    whole = spoken(TOKENS, replace(vocoder.sizes, right=0)).astype(np.float64)
    errors = {}
    for right in sorted({*margins, vocoder.sizes.right}):
        error = spoken(CHUNK_TOKENS, replace(vocoder.sizes, right=right)) - whole
        errors[right] = decibels(float(np.square(whole).sum()), float(np.square(error).sum()))
    return WindowErrors(errors, vocoder.sizes.right)
