"""Prosody of a recording: its melody and loudness every 10 ms, as nano's networks count them.

Both are relative, to the speaker's mean pitch and to the recording's level, so that the same
sentence by a low and a high voice, near and far, has the same prosody. Knows nothing about
networks.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.pitch import mean_log_pitch, track_pitch
from selftalk.stream.sound.resample import resample

SAMPLE_RATE_HZ = 24_000
FRAME_SAMPLES = 240
WINDOW_SAMPLES = 1200
FFT_SAMPLES = 2048
MEL_BANDS = 80
MEL_TOP_HZ = 12_000

PITCH_SCALE = 4.0  # brings the relative log pitch to unit variance
ENERGY_SCALE = 0.25
VOICED_ENERGY = 5.41
"""Mean energy of voiced frames in nano's corpus, to which every recording is brought."""

USUAL_LOG_PITCH = float(np.log(170.0))
"""Of whispering, which has no pitch."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """How something is said."""

    frames: Float32Array
    """(T, 3) at 100 Hz: scaled relative log pitch, voicing in [0, 1], scaled energy."""
    mean_log_pitch: float
    """Of the voiced frames, natural logarithm of Hz."""


def speech_prosody(chunk: AudioChunk) -> Prosody:
    """The prosody of speech by one speaker; T is the whole 10 ms in it."""
    pitch_hz, energy = melody(chunk)
    voiced = pitch_hz > 0
    if not voiced.any():
        return Prosody(scaled(pitch_hz, energy, USUAL_LOG_PITCH, VOICED_ENERGY), USUAL_LOG_PITCH)
    mean = mean_log_pitch(pitch_hz)
    return Prosody(scaled(pitch_hz, energy, mean, float(energy[voiced].mean())), mean)


def melody(chunk: AudioChunk) -> tuple[Float32Array, Float32Array]:
    """Pitch in Hz, 0 where it is unvoiced, and energy of each whole 10 ms, as they are."""
    samples = resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)
    T = len(samples) // FRAME_SAMPLES
    return np.pad(track_pitch(chunk), (0, T))[:T], mel_energy(samples)[:T]


def scaled(
    pitch_hz: Float32Array, energy: Float32Array, mean_log: float, voiced_energy: float
) -> Float32Array:
    """Frames of prosody (T, 3), relative to a mean pitch and to the energy of voiced frames."""
    voiced = pitch_hz > 0
    relative = np.where(voiced, PITCH_SCALE * (np.log(np.maximum(pitch_hz, 1.0)) - mean_log), 0.0)
    level = ENERGY_SCALE * (energy + VOICED_ENERGY - voiced_energy)
    return np.stack([relative, voiced, level], axis=1).astype(np.float32)


def mel_energy(samples: Float32Array) -> Float32Array:
    """Logarithm of the norm of the mel spectrum of 24 kHz samples: (T,) → (T // 240,).

    The loudness curve of StyleTTS 2 (Li et al. 2023), which nano's teacher was trained with.
    """
    T = len(samples) // FRAME_SAMPLES
    edge = (WINDOW_SAMPLES - FRAME_SAMPLES) // 2
    padded = np.pad(samples, (edge, WINDOW_SAMPLES))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::FRAME_SAMPLES][:T]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(WINDOW_SAMPLES), FFT_SAMPLES)))
    mel = power @ mel_triangles().T + 1e-5
    return np.asarray(np.log(np.linalg.norm(mel, axis=1)), np.float32)


@cache
def mel_triangles() -> Float32Array:
    """Triangles of unit height, evenly spaced on the mel scale: (80, 1025)."""
    top = 2595 * np.log10(1 + MEL_TOP_HZ / 700)
    points = 700 * (10 ** (np.linspace(0, top, MEL_BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT_SAMPLES, 1 / SAMPLE_RATE_HZ)
    low, centre, high = points[:-2, None], points[1:-1, None], points[2:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.minimum(rising, falling).clip(0).astype(np.float32)
