"""Cutting a long recording where it is quietest, for models that hear only so much at once.

Knows nothing about speech: it looks at loudness alone.
"""

import numpy as np

from selftalk.stream.sound.audio import Float32Array

FRAME_SECONDS = 0.05
EARLIEST_CUT = 0.5
"""Of the longest piece: a cut is looked for between here and the end of it."""


def split_at_pauses(
    samples: Float32Array, sample_rate_hz: int, longest_seconds: float
) -> list[Float32Array]:
    """Cut (T,) into pieces of at most `longest_seconds`; together they are the whole."""
    longest = round(longest_seconds * sample_rate_hz)
    pieces = []
    while len(samples) > longest:
        cut = _quietest(samples[:longest], sample_rate_hz)
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples] if len(samples) else pieces


def _quietest(samples: Float32Array, sample_rate_hz: int) -> int:
    """The middle of the quietest frame in the later part of a piece."""
    frame = max(1, round(FRAME_SECONDS * sample_rate_hz))
    start = int(EARLIEST_CUT * len(samples))
    later = samples[start:]
    frames = later[: len(later) // frame * frame].reshape(-1, frame)
    power = np.square(frames).mean(axis=1)
    return start + int(power.argmin()) * frame + frame // 2
