"""Slicing: a take is cut at its pauses into pieces of two to ten seconds, at one loudness.

Neighbouring stretches of speech are joined until a piece is long enough, longer ones are cut
where they are quietest. Knows nothing about words or speakers.
"""

import numpy as np

from selftalk.stream.listening.pieces import split_at_pauses
from selftalk.stream.sound.audio import AudioChunk, Float32Array, level_dbfs
from selftalk.stream.sound.pitch import mean_log_pitch, pitch_spread_semitones, track_pitch
from selftalk.stream.studio.loudness import levelled
from selftalk.stream.studio.recording import Slice
from selftalk.stream.studio.take import Take

SHORTEST_SECONDS = 2.0
USUAL_SECONDS = 6.0
"""A piece this long ends at the next pause."""
LONGEST_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 1.0
"""Stretches farther apart are never in one piece."""
EDGE_SECONDS = 0.1
FADE_SECONDS = 0.01


def cut_take(take: Take, avoid_seconds: tuple[float, ...] = ()) -> list[Slice]:
    """Cut a take into slices without text.

    Args:
        take: where to cut.
        avoid_seconds: moments that no slice may hold, such as coughs and clicks.
    """
    rate = take.audio.sample_rate_hz
    spans = _joined(take.regions, rate)
    slices = [_slice(take, start, end) for span in spans for start, end in _short(take, *span)]
    avoided = [round(second * rate) for second in avoid_seconds]
    return [
        piece
        for piece in slices
        if piece.seconds >= SHORTEST_SECONDS
        and not any(
            piece.start_samples <= place < piece.start_samples + len(piece.samples)
            for place in avoided
        )
    ]


def _joined(regions: tuple[tuple[int, int], ...], rate: int) -> list[tuple[int, int]]:
    """Join neighbours until a piece has its usual length."""
    spans: list[tuple[int, int]] = []
    for start, end in regions:
        if spans:
            first, last = spans[-1]
            fits = end - first <= LONGEST_SECONDS * rate
            near = start - last <= LONGEST_PAUSE_SECONDS * rate
            if near and fits and last - first < USUAL_SECONDS * rate:
                spans[-1] = (first, end)
                continue
        spans.append((start, end))
    return spans


def _short(take: Take, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a span that is too long."""
    rate = take.audio.sample_rate_hz
    pieces = split_at_pauses(take.audio.samples[start:end], rate, LONGEST_SECONDS)
    bounds = start + np.cumsum([0, *(len(piece) for piece in pieces)])
    return list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))


def _slice(take: Take, start: int, end: int) -> Slice:
    """One piece, with a little silence around it, faded and levelled."""
    rate = take.audio.sample_rate_hz
    edge = round(EDGE_SECONDS * rate)
    start, end = max(0, start - edge), min(len(take.audio), end + edge)
    raw = take.audio.samples[start:end]
    pitch = track_pitch(AudioChunk(raw, rate))
    return Slice(
        samples=_faded(levelled(raw - raw.mean(), rate), round(FADE_SECONDS * rate)),
        sample_rate_hz=rate,
        start_samples=start,
        source=take.name,
        mean_log_pitch=mean_log_pitch(pitch),
        pitch_spread_semitones=pitch_spread_semitones(pitch),
        level_dbfs=level_dbfs(raw),
    )


def _faded(samples: Float32Array, edge: int) -> Float32Array:
    ramp = np.linspace(0, 1, edge, dtype=np.float32)
    faded = samples.copy()
    faded[:edge] *= ramp[: len(faded)]
    faded[-edge:] *= ramp[::-1][-len(faded) :]
    return faded
