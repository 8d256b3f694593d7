"""SpeakerEncoder: whose voice is it? Speech of any length as one vector of 256 numbers.

The network is GE2E (an LSTM over 1.6 s windows, trained to tell speakers apart); the vector is
the mean over windows. The same voice lies near 0.9 in cosine, other voices near 0.55.
Knows nothing about text or synthesis.
"""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import VoiceError
from selftalk.stream.graphs.onnx import open_session
from selftalk.stream.listening.log_mel import mel_filters
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample

SAMPLE_RATE_HZ = 16_000
EMBEDDING_SIZE = 256

HOP_SAMPLES = 160
FFT_SAMPLES = 400
MEL_BANDS = 40
WINDOW_FRAMES = 160
"""The network hears 1.6 s at a time."""
STEP_FRAMES = 77
"""1.3 windows begin in a second, so they overlap by half."""
_MIN_COVERAGE = 0.75
TARGET_DBFS = -30.0
_MIN_SECONDS = 0.3


class SpeakerEncoder:
    """Maps speech to a speaker embedding of length 1."""

    def __init__(self, graph: str | Path, threads: int = 1) -> None:
        """Open the GE2E graph: windows (B, 160, 40) → embeddings (B, 256)."""
        self._session = open_session(graph, threads)
        self._input = self._session.get_inputs()[0].name

    def embed(self, chunk: AudioChunk) -> Float32Array:
        """Return the (256,) embedding of speech by one speaker.

        Args:
            chunk: mono speech at any sample rate; a few seconds are enough, and long pauses
                should be cut out before.

        Raises:
            VoiceError: there is hardly any sound.
        """
        samples = resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)
        if len(samples) < _MIN_SECONDS * SAMPLE_RATE_HZ or not np.any(samples):
            raise VoiceError(
                f"{chunk.duration_seconds:.1f} s of sound do not tell a speaker;"
                " a few seconds of speech are needed"
            )
        windows = mel_windows(_raised_to_target(samples))
        partial = self._session.run(None, {self._input: windows})[0]
        mean = np.asarray(partial, np.float32).mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)


def mel_windows(samples: Float32Array) -> Float32Array:
    """Cut 16 kHz speech into overlapping windows of mel power.

    The last window is filled up with silence, or left out if less than three quarters of it
    are speech and it is not the only one.

    Args:
        samples: (T,) float32.

    Returns:
        (B, 160, 40) float32.
    """
    frames = -(-(len(samples) + 1) // HOP_SAMPLES)
    starts = list(range(0, max(1, frames - WINDOW_FRAMES + STEP_FRAMES + 1), STEP_FRAMES))
    covered = len(samples) / HOP_SAMPLES - starts[-1]
    if len(starts) > 1 and covered < _MIN_COVERAGE * WINDOW_FRAMES:
        starts.pop()
    needed = (starts[-1] + WINDOW_FRAMES) * HOP_SAMPLES
    padded = np.pad(samples, (0, max(0, needed - len(samples))))
    mel = mel_power(padded)
    return np.stack([mel[start : start + WINDOW_FRAMES] for start in starts])


def mel_power(samples: Float32Array) -> Float32Array:
    """(T,) 16 kHz samples → (1 + T // 160, 40) power in mel bands, frames centred."""
    centred = np.pad(samples, FFT_SAMPLES // 2)
    frames = np.lib.stride_tricks.sliding_window_view(centred, FFT_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    return np.asarray((np.abs(spectrum) ** 2) @ mel_filters(MEL_BANDS).T, np.float32)


def _raised_to_target(samples: Float32Array) -> Float32Array:
    """Raise quiet speech to the level the network knows; loud speech stays as it is."""
    level = 20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    gain_db = max(0.0, TARGET_DBFS - float(level))
    return np.asarray(samples * 10 ** (gain_db / 20), np.float32)


@cache
def _hann() -> npt.NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT_SAMPLES) / FFT_SAMPLES)
