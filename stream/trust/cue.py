"""The audible cue: four tones, short-long short-short, Morse for "AI"; and how to hear them again.

The rhythm is the one that GB 45438-2025 gives for synthetic speech; pitch and pace are ours. Knows
nothing about when a cue is due.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample

UNIT_MS = 120
TONE_HZ = 1000.0
LEVEL = 0.25
"""Peak: about as loud as speech, well audible and not startling."""
RAMP_MS = 8
PAUSE_MS = 250
"""After the cue, before speech."""
PATTERN = (True, False, True, True, True, False, False, False, True, False, True)
"""One entry for each unit: · −   · ·"""

DETECTOR_RATE_HZ = 16_000
_WINDOW, _HOP = 640, 160  # 40 ms for bins of 25 Hz, every 10 ms
_LOWEST_BIN, _HIGHEST_BIN = 34, 47  # 850 to 1175 Hz: also when played faster or slower
_EDGE_FRAMES = 3  # around each change a window sees both
_PACES = (1.0, 0.95, 1.05, 0.9, 1.1)
_LEAST_CONTRAST_DB = 10.0
_FULL_CONTRAST_DB = 20.0
_LARGEST_SPREAD_DB = 2.0
"""Of the level within the tones; speech is never so even."""
_QUIETEST_DB = -65.0


def rhythm_cue(sample_rate_hz: int) -> Float32Array:
    """The four tones, (T,) of 1.32 s."""
    unit = sample_rate_hz * UNIT_MS // 1000
    gate = np.repeat(np.array(PATTERN, np.float64), unit)
    ramp = np.hanning(2 * (sample_rate_hz * RAMP_MS // 1000) + 1)
    envelope = np.convolve(gate, ramp / ramp.sum(), mode="same")
    seconds = np.arange(len(gate)) / sample_rate_hz
    return (LEVEL * envelope * np.sin(2 * np.pi * TONE_HZ * seconds)).astype(np.float32)


def with_pause(cue: Float32Array, sample_rate_hz: int) -> Float32Array:
    """The cue and the moment of silence that follows it."""
    return np.pad(cue, (0, sample_rate_hz * PAUSE_MS // 1000))


def find_cue(chunk: AudioChunk) -> tuple[float, float]:
    """Search a sound for the cue.

    Returns:
        Confidence from 0 to 1, and the second where the cue begins.
    """
    samples = resample(chunk.samples, chunk.sample_rate_hz, DETECTOR_RATE_HZ)
    levels_db = _tone_levels_db(samples)
    for pace in _PACES:
        contrast, frame = _best_match(levels_db, *_templates(pace))
        if contrast >= _LEAST_CONTRAST_DB:
            above = (contrast - _LEAST_CONTRAST_DB) / (_FULL_CONTRAST_DB - _LEAST_CONTRAST_DB)
            return 0.5 + 0.5 * min(1.0, above), frame * _HOP / DETECTOR_RATE_HZ
    return 0.0, 0.0


def _tone_levels_db(samples: Float32Array) -> Float32Array:
    """Level around 1 kHz: (bins, frames)."""
    padded = np.pad(samples, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    bins = np.arange(_LOWEST_BIN, _HIGHEST_BIN + 1)
    angles = 2j * np.pi * np.outer(np.arange(_WINDOW), bins) / _WINDOW
    tones = (np.hanning(_WINDOW)[:, None] * np.exp(-angles) * 4 / _WINDOW).astype(np.complex64)
    return np.asarray(20 * np.log10(np.abs(frames @ tones).T + 1e-6), np.float32)


def _best_match(levels_db: Float32Array, on: Float32Array, off: Float32Array) -> tuple[float, int]:
    """The largest contrast between tones and gaps where the tones are even: (dB, frame)."""
    best, place = -np.inf, 0
    if levels_db.shape[1] < len(on):
        return best, place
    for level in levels_db.astype(np.float64):
        loud, soft = _correlate(level, on), _correlate(level, off)
        spread = np.sqrt(np.maximum(_correlate(level**2, on) - loud**2, 0))
        contrast = loud - soft
        contrast[(spread > _LARGEST_SPREAD_DB) | (loud < _QUIETEST_DB)] = -np.inf
        frame = int(contrast.argmax())
        if contrast[frame] > best:
            best, place = float(contrast[frame]), frame
    return best, place


def _correlate(level: npt.NDArray[np.float64], template: Float32Array) -> npt.NDArray[np.float64]:
    return np.correlate(level, template, mode="valid")


@cache
def _templates(pace: float) -> tuple[Float32Array, Float32Array]:
    """Which frames lie well within a tone, and within a gap; each sums to 1."""
    unit_frames = UNIT_MS / 10 / pace
    at = np.arange(round(len(PATTERN) * unit_frames))
    units = np.minimum((at / unit_frames).astype(int), len(PATTERN) - 1)
    gate = np.array(PATTERN)[units]
    edges = np.flatnonzero(np.diff(gate.astype(int)))
    clear = np.ones(len(gate), bool)
    for edge in (-1, *edges, len(gate) - 1):
        clear[max(0, edge + 1 - _EDGE_FRAMES) : edge + 1 + _EDGE_FRAMES] = False
    on, off = gate & clear, ~gate & clear
    return (on / on.sum()).astype(np.float32), (off / off.sum()).astype(np.float32)
