"""Pitch of a voice: the fundamental frequency every 10 ms, by autocorrelation.

After Boersma (1993): the autocorrelation of a windowed frame, divided by that of its window,
has its peaks at the period and its multiples. Each frame offers its best peaks and "unvoiced";
the cheapest path through all frames avoids jumps of an octave. Knows nothing about speakers.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 160
FRAME_SAMPLES = 800  # 50 ms: three periods of the lowest pitch
LOWEST_HZ, HIGHEST_HZ = 60.0, 600.0
CANDIDATES = 6
BLOCK_FRAMES = 512

# In units of correlation; mostly those of Boersma.
VOICED_STRENGTH = 0.5
SILENCE = 0.03
"""A frame this much weaker than the loudest is hardly voiced."""
OCTAVE_COST = 0.01
JUMP_COST = 0.35
VOICING_COST = 0.14

Float64Array = npt.NDArray[np.float64]


def track_pitch(chunk: AudioChunk) -> Float32Array:
    """Pitch of speech by one speaker in Hz, (frames,), one each 10 ms; 0 where it is unvoiced."""
    samples = resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)
    frames = _frames(samples)
    if not len(frames):
        return np.zeros(0, np.float32)
    loudest = float(np.abs(samples - samples.mean()).max()) or 1.0
    blocks = [
        _candidates(frames[start : start + BLOCK_FRAMES], loudest)
        for start in range(0, len(frames), BLOCK_FRAMES)
    ]
    hz = np.concatenate([block[0] for block in blocks])
    strength = np.concatenate([block[1] for block in blocks])
    path = _cheapest_path(hz, strength)
    return hz[np.arange(len(hz)), path].astype(np.float32)


def mean_log_pitch(pitch_hz: Float32Array) -> float:
    """Mean natural logarithm of the voiced frames; 0 if there are none.

    The tenth of them farthest from the median does not count: creaks and errors.
    """
    logs = np.log(pitch_hz[pitch_hz > 0].astype(np.float64))
    if not len(logs):
        return 0.0
    distance = np.abs(logs - np.median(logs))
    return float(logs[distance <= np.quantile(distance, 0.9)].mean())


def pitch_spread_semitones(pitch_hz: Float32Array) -> float:
    """How lively the melody is: from the 10th to the 90th percentile; 0 if nothing is voiced."""
    voiced = pitch_hz[pitch_hz > 0]
    if not len(voiced):
        return 0.0
    low, high = np.quantile(voiced, [0.1, 0.9])
    return float(12 * np.log2(high / low))


def _frames(samples: Float32Array) -> Float32Array:
    """Windows centred every 10 ms: (frames, FRAME_SAMPLES)."""
    if len(samples) < HOP_SAMPLES:
        return np.zeros((0, FRAME_SAMPLES), np.float32)
    padded = np.pad(samples, FRAME_SAMPLES // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)
    return windows[: len(samples) : HOP_SAMPLES]


def _candidates(frames: Float32Array, loudest: float) -> tuple[Float64Array, Float64Array]:
    """The best periods of each frame: Hz and strength, (frames, 1 + CANDIDATES), unvoiced first."""
    centred = frames - frames.mean(axis=1, keepdims=True)
    correlation, first_lag = _correlation(centred)
    peaks = np.zeros_like(correlation)
    inner = correlation[:, 1:-1]
    is_peak = (inner > correlation[:, :-2]) & (inner >= correlation[:, 2:]) & (inner > 0)
    peaks[:, 1:-1] = np.where(is_peak, inner, 0.0)
    best = np.argsort(-peaks, axis=1)[:, :CANDIDATES]
    rows = np.arange(len(frames))[:, None]
    lag, height = _refined(correlation, rows, best)
    found = peaks[rows, best] > 0
    hz = np.where(found, SAMPLE_RATE_HZ / (lag + first_lag), 0.0)
    octaves = np.log2(np.maximum(hz, LOWEST_HZ) / LOWEST_HZ)
    strength = np.where(found, np.minimum(height, 1.0) + OCTAVE_COST * octaves, -np.inf)
    peak = np.abs(centred).max(axis=1) / loudest
    quiet = 2 - (peak / SILENCE) / (1 + VOICED_STRENGTH)
    unvoiced = VOICED_STRENGTH + np.maximum(0.0, quiet)
    return (
        np.concatenate([np.zeros((len(frames), 1)), hz], axis=1),
        np.concatenate([unvoiced[:, None], strength], axis=1),
    )


def _correlation(frames: Float32Array) -> tuple[Float64Array, int]:
    """Normalised autocorrelation at the lags of a voice, (frames, lags), and the first lag."""
    window, of_window = _window()
    spectrum = np.fft.rfft(frames * window, 2 * FRAME_SAMPLES)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    correlation = np.fft.irfft(power)[:, :FRAME_SAMPLES]
    first, last = int(SAMPLE_RATE_HZ / HIGHEST_HZ) - 1, int(SAMPLE_RATE_HZ / LOWEST_HZ) + 2
    normalised = correlation[:, first:last] / (correlation[:, :1] + 1e-12) / of_window[first:last]
    return normalised, first


def _refined(
    correlation: Float64Array, rows: npt.NDArray[np.intp], peaks: npt.NDArray[np.intp]
) -> tuple[Float64Array, Float64Array]:
    """Place and height of peaks between the samples, by a parabola."""
    middle = np.clip(peaks, 1, correlation.shape[1] - 2)
    before, at, after = (correlation[rows, middle + shift] for shift in (-1, 0, 1))
    bend = np.minimum(before - 2 * at + after, -1e-9)
    shift = np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    return middle + shift, at - 0.25 * (before - after) * shift


def _cheapest_path(hz: Float64Array, strength: Float64Array) -> npt.NDArray[np.intp]:
    """One candidate per frame, by dynamic programming: strong ones, without leaps."""
    voiced = hz > 0
    logs = np.log2(np.where(voiced, hz, 1.0))
    total = strength[0]
    came_from = np.zeros(hz.shape, np.intp)
    columns = np.arange(hz.shape[1])
    for frame in range(1, len(hz)):
        both = voiced[frame - 1][:, None] & voiced[frame][None, :]
        one = voiced[frame - 1][:, None] != voiced[frame][None, :]
        leap = np.abs(logs[frame - 1][:, None] - logs[frame][None, :])
        reached = total[:, None] - np.where(both, JUMP_COST * leap, VOICING_COST * one)
        came_from[frame] = reached.argmax(axis=0)
        total = reached[came_from[frame], columns] + strength[frame]
    path = np.zeros(len(hz), np.intp)
    path[-1] = int(total.argmax())
    for frame in range(len(hz) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


@cache
def _window() -> tuple[Float64Array, Float64Array]:
    """The Hann window and its autocorrelation, normalised to 1 at lag 0."""
    window = np.hanning(FRAME_SAMPLES + 2)[1:-1]
    own = np.fft.irfft(np.square(np.abs(np.fft.rfft(window, 2 * FRAME_SAMPLES))))[:FRAME_SAMPLES]
    return window, own / own[0]
