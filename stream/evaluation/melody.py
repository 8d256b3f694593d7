"""Melody: does the pitch of one recording rise and fall where that of another does?

Both say the same sentence, each at its own pace, so they are first laid beside each other by
dynamic time warping over their spectra (Sakoe & Chiba 1978). What is compared is the logarithm of
the pitch where both are voiced: how high a voice is does not count, only its rises and falls.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.listening.log_mel import HOP_SAMPLES, log_mel
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.io import SAMPLE_RATE_HZ
from selftalk.stream.sound.pitch import pitch_spread_semitones
from selftalk.stream.sound.resample import resample

FRAME_SECONDS = HOP_SAMPLES / SAMPLE_RATE_HZ
FEWEST_FRAMES = 20
"""Voiced in both: a fifth of a second has no melody."""

Track = Callable[[AudioChunk], Float32Array]
"""Pitch in Hz, one value each 10 ms, 0 where it is unvoiced."""
Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Melody:
    """How the melodies of two recordings compare."""

    correlation: float
    """Pearson's, of the logarithms of pitch: 1 is the same tune, 0 has nothing to do with it."""
    voicing_errors: float
    """Share of the paired frames in which only one of the two is voiced."""
    spread_semitones: float
    """From the 10th to the 90th percentile of the first one's pitch: 0 is monotone."""
    other_spread_semitones: float
    """Of the second one's."""


def compare_melodies(one: AudioChunk, other: AudioChunk, track: Track) -> Melody | None:
    """Compare two recordings of one sentence; None if hardly anything in them is voiced."""
    mels = [_spectra(chunk) for chunk in (one, other)]
    pitches = [
        _fitted(track(chunk), len(mel)) for chunk, mel in zip((one, other), mels, strict=True)
    ]
    if not all(len(mel) for mel in mels):
        return None
    pairs = warp(*mels)
    first, second = pitches[0][pairs[:, 0]], pitches[1][pairs[:, 1]]
    voiced = (first > 0) & (second > 0)
    if voiced.sum() < FEWEST_FRAMES:
        return None
    logs = np.log(first[voiced]), np.log(second[voiced])
    if min(float(log.std()) for log in logs) < 1e-6:
        return None
    return Melody(
        float(np.corrcoef(*logs)[0, 1]),
        float(((first > 0) != (second > 0)).mean()),
        *(pitch_spread_semitones(pitch) for pitch in pitches),
    )


def warp(one: Float32Array, other: Float32Array) -> Pairs:
    """Pair the rows of (N, D) with those of (M, D), in order and without gaps: (P, 2).

    The path costs the sum of the distances of what it pairs, and is the cheapest one.
    """
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    distance = np.sqrt(np.maximum(squares, 0)).astype(np.float64)
    total = np.full((len(one) + 1, len(other) + 1), np.inf)
    total[0, 0] = 0
    for row in range(len(one)):
        before = np.minimum(total[row, 1:], total[row, :-1])
        left = np.inf
        for column, (entry, cost) in enumerate(zip(before, distance[row], strict=True)):
            left = min(entry, left) + cost
            total[row + 1, column + 1] = left
    return _path(total)


def _path(total: npt.NDArray[np.float64]) -> Pairs:
    row, column = total.shape[0] - 1, total.shape[1] - 1
    pairs = []
    while row and column:
        pairs.append((row - 1, column - 1))
        steps = (row - 1, column - 1), (row - 1, column), (row, column - 1)
        row, column = min(steps, key=lambda step: total[step])
    return np.array(pairs[::-1], np.int64)


def _spectra(chunk: AudioChunk) -> Float32Array:
    """Log-mel frames (frames, 80), each 10 ms, the mean taken off: the colour of the voice."""
    samples = resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)
    if len(samples) < HOP_SAMPLES * FEWEST_FRAMES:
        return np.zeros((0, 1), np.float32)
    mel = log_mel(samples).T
    return np.ascontiguousarray(mel - mel.mean(0))


def _fitted(pitch_hz: Float32Array, frames: int) -> Float32Array:
    return np.pad(pitch_hz[:frames], (0, max(0, frames - len(pitch_hz))))
