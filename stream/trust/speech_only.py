"""Speech without its pauses, for models that should hear a speaker and not a room.

Knows nothing about who speaks.
"""

import numpy as np

from selftalk.stream.sound.audio import AudioChunk

FRAME_MS = 20
KEPT_AROUND_FRAMES = 3
QUIETER_DB = 35.0
"""Than the loudest frames: a pause."""


def without_pauses(chunk: AudioChunk) -> AudioChunk:
    """Cut out what is much quieter than the speech; 60 ms around speech stay."""
    size = chunk.sample_rate_hz * FRAME_MS // 1000
    count = len(chunk.samples) // size
    if count < 2:
        return chunk
    frames = chunk.samples[: count * size].reshape(count, size)
    level_db = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12)
    loud = level_db > np.percentile(level_db, 95) - QUIETER_DB
    kept = np.convolve(loud, np.ones(2 * KEPT_AROUND_FRAMES + 1), mode="same") > 0
    return AudioChunk(np.ascontiguousarray(frames[kept].ravel()), chunk.sample_rate_hz)
