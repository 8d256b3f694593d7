"""Augmentation: one recording as other throats, rooms and microphones would have made it.

Works on 16 kHz sound and leaves every sound where it is in time, so that labels stay true. A
"throat" stretches the spectrum, which moves pitch and formants together, as changing the speed of
a tape would (Jaitly and Hinton 2013, "Vocal Tract Length Perturbation").
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from selftalk.stream.listening.log_mel import HOP_SAMPLES, WINDOW_SAMPLES, mel_filters
from selftalk.stream.sound.audio import Float32Array

SAMPLE_RATE_HZ = 16_000
FLOOR = 1e-8  # of power: what is quieter counts as silence
WARPS = tuple(float(warp) for warp in np.round(np.geomspace(0.8, 1.3, 15), 4))
DIRECT_SAMPLES = 48  # 3 ms that arrive before the first reflection


def live_log_mel(samples: Float32Array, warp: float = 1.0) -> Float32Array:
    """Mel bands of (T,) samples, by no statistics of the whole: (T // 160, 80), about [-1, 1].

    Args:
        samples: 16 kHz.
        warp: above 1, everything sounds lower.
    """
    frames = len(samples) // HOP_SAMPLES
    padded = np.pad(samples, WINDOW_SAMPLES // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(windows[:frames] * window)))
    mel = power.astype(np.float32) @ warped_filters(warp)
    return np.asarray((np.log10(np.maximum(mel, FLOOR)) + 3.0) / 4.0, np.float32)


@cache
def warped_filters(warp: float) -> Float32Array:
    """The mel triangles read off a stretched spectrum: (201, 80)."""
    filters = mel_filters()
    bins = filters.shape[1]
    source = np.minimum(np.arange(bins) * warp, bins - 1)
    low = np.minimum(source.astype(int), bins - 2)
    share = source - low
    stretch = np.zeros((bins, bins))  # warped spectrum = stretch @ spectrum
    stretch[np.arange(bins), low] = 1 - share
    stretch[np.arange(bins), low + 1] += share
    return np.asarray((filters @ stretch).T, np.float32)


def elsewhere(samples: Float32Array, generator: np.random.Generator) -> Float32Array:
    """The same sound in another room, through another microphone, with noise: (T,) → (T,)."""
    if generator.random() < 0.5:
        samples = convolved(samples, room_response(generator))
    samples = tinted(samples, generator)
    level = float(np.sqrt(np.mean(np.square(samples)))) + 1e-5
    if generator.random() < 0.7:
        wanted = level * 10 ** (-generator.uniform(5, 40) / 20)
        noise = wanted * coloured_noise(len(samples), generator)
        samples = samples + noise.astype(np.float32)
    gain = 10 ** (generator.uniform(-32, -14) / 20) / level
    return np.asarray(samples * gain, np.float32)


def room_response(generator: np.random.Generator) -> Float32Array:
    """The direct sound, then noise that dies away."""
    decay = generator.uniform(0.01, 0.08) * SAMPLE_RATE_HZ
    times = np.arange(int(4 * decay))
    response = np.zeros(DIRECT_SAMPLES + len(times))
    response[0] = 1.0
    tail = generator.standard_normal(len(times)) * np.exp(-times / decay)
    response[DIRECT_SAMPLES:] = generator.uniform(0.05, 0.7) * tail / np.linalg.norm(tail)
    return response.astype(np.float32)


def convolved(samples: Float32Array, response: Float32Array) -> Float32Array:
    """Samples (T,) through a filter, cut to (T,)."""
    size = 1 << (len(samples) + len(response) - 1).bit_length()
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(samples)], np.float32)


def tinted(samples: Float32Array, generator: np.random.Generator) -> Float32Array:
    """Through a microphone or a telephone: a curve over the octaves, and a limited band."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    octaves = np.log2(np.maximum(hz, 50.0) / 50.0)
    gains_db = np.interp(octaves, np.arange(8), generator.normal(0, 4, 8))
    if generator.random() < 0.4:
        gains_db -= 24 * np.maximum(0, octaves - np.log2(generator.uniform(3000, 7500) / 50))
    if generator.random() < 0.3:
        gains_db -= 18 * np.maximum(0, np.log2(generator.uniform(80, 300) / 50) - octaves)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (gains_db / 20), len(samples)), np.float32)


def coloured_noise(length: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise of unit power between white and brown."""
    spectrum = np.fft.rfft(generator.standard_normal(length))
    spectrum *= np.maximum(np.arange(len(spectrum)), 20.0) ** -generator.uniform(0, 1)
    noise = np.fft.irfft(spectrum, length)
    return np.asarray(noise / (np.sqrt(np.mean(np.square(noise))) + 1e-9), np.float64)
