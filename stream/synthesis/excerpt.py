"""Excerpt: the part of a long recording that tells most of a voice.

A few seconds are enough, if they are the right ones: mostly speech, at a steady level, well above
the noise, not clipped, from pause to pause. Knows nothing about words or models.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import AudioChunk, Float32Array

SHORTEST_SECONDS, LONGEST_SECONDS = 3.0, 10.0
BLOCK_SECONDS = 0.02
PAUSE_BLOCKS = 8
"""160 ms: shorter gaps are within words."""
CLIPPED_LEVEL = 0.985
EDGE_BLOCKS = 5
"""Of a pause, 100 ms stay at each end of the excerpt."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """A recording in blocks of 20 ms."""

    level_db: npt.NDArray[np.float64]
    clipped: npt.NDArray[np.bool_]
    speech: npt.NDArray[np.bool_]
    noise_db: float


def best_excerpt(recording: AudioChunk) -> AudioChunk:
    """The best 3 to 10 s of a recording; a recording that is no longer comes back whole."""
    if recording.duration_seconds <= LONGEST_SECONDS:
        return recording
    block = round(BLOCK_SECONDS * recording.sample_rate_hz)
    blocks = measured(recording.samples, block)
    start, stop = max(candidates(blocks.speech), key=lambda span: merit(blocks, *span))
    return AudioChunk(recording.samples[start * block : stop * block], recording.sample_rate_hz)


def measured(samples: Float32Array, block: int) -> Blocks:
    """Level, clipping and speech of each block."""
    pieces = samples[: len(samples) // block * block].reshape(-1, block)
    level_db = 10 * np.log10(np.square(pieces, dtype=np.float64).mean(axis=1) + 1e-10)
    quiet, loud = np.percentile(level_db, [10, 90])
    speech = level_db > quiet + max(6.0, 0.4 * (loud - quiet))
    return Blocks(level_db, np.abs(pieces).max(axis=1) >= CLIPPED_LEVEL, speech, float(quiet))


def candidates(speech: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Spans (first, end) of blocks of a good length, from pause to pause where there are pauses."""
    shortest, longest = (
        round(seconds / BLOCK_SECONDS) for seconds in (SHORTEST_SECONDS, LONGEST_SECONDS)
    )
    begins, ends = phrases(speech)
    spans = [
        (int(begin), int(end))
        for begin in begins
        for end in ends[(ends >= begin + shortest) & (ends <= begin + longest)]
    ]
    steps = range(0, max(1, len(speech) - longest + 1), longest // 10)
    return spans or [(start, min(len(speech), start + longest)) for start in steps]


def phrases(speech: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where stretches of speech between pauses begin and end, a little of the pauses included."""
    spoken = np.flatnonzero(speech)
    if not len(spoken):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    gaps = np.flatnonzero(np.diff(spoken) > PAUSE_BLOCKS)
    begins = np.concatenate([spoken[:1], spoken[gaps + 1]]) - EDGE_BLOCKS
    ends = np.concatenate([spoken[gaps], spoken[-1:]]) + 1 + EDGE_BLOCKS
    return begins.clip(0), ends.clip(max=len(speech))


def merit(blocks: Blocks, start: int, stop: int) -> float:
    """How much a span tells: seconds of speech, less for noise, for changes of level, for clipping.

    More than six seconds of speech tell hardly more.
    """
    speech, level_db = blocks.speech[start:stop], blocks.level_db[start:stop]
    if not speech.any():
        return -100.0
    seconds = float(speech.sum()) * BLOCK_SECONDS
    share = float(speech.mean())
    spoken_db = level_db[speech]
    clean_db = float(np.median(spoken_db)) - blocks.noise_db
    uneven_db = float(np.std(spoken_db))
    clipped = float(blocks.clipped[start:stop].mean())
    return min(seconds, 6.0) + 4 * share + min(clean_db, 40) / 10 - uneven_db / 4 - 100 * clipped
