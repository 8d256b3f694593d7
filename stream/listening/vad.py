"""Voice activity detection: one frame of audio in, the probability of speech out.

Knows nothing about turns, thresholds or time; `turns.py` makes those of the probabilities.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
import webrtcvad

from selftalk.stream.errors import ConfigError
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.graphs.onnx import open_session, run_session
from selftalk.stream.sound.audio import Float32Array, to_int16
from selftalk.stream.sound.io import SAMPLE_RATE_HZ


class Vad(Protocol):
    """Judges consecutive frames of a 16 kHz stream."""

    @property
    def frame_samples(self) -> int:
        """Length of every frame."""
        ...

    def push(self, frame: Float32Array) -> float:
        """Return the probability that this frame, (frame_samples,), is speech."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


class SileroVad:
    """Silero VAD v5/v6 on onnxruntime: 0.12 ms per frame of 32 ms, deaf to steady noise."""

    frame_samples = 512
    CONTEXT_SAMPLES = 64  # the network also sees the end of the previous frame
    _context: Float32Array
    _state: Float32Array

    def __init__(self, path: str | Path) -> None:
        self._session = open_session(path)
        self.reset()

    def push(self, frame: Float32Array) -> float:
        """Return the probability that this frame, (512,), is speech."""
        assert frame.shape == (self.frame_samples,), frame.shape
        joined = np.concatenate([self._context, frame])
        outputs = run_session(
            self._session,
            {
                "input": joined[None],
                "state": self._state,
                "sr": np.array(SAMPLE_RATE_HZ, np.int64),
            },
        )
        self._state = outputs["stateN"]
        self._context = joined[-self.CONTEXT_SAMPLES :]
        return float(outputs["output"][0, 0])

    def reset(self) -> None:
        """Forget the stream so far."""
        self._state = np.zeros((2, 1, 128), np.float32)  # (2, B, H) of its LSTM
        self._context = np.zeros(self.CONTEXT_SAMPLES, np.float32)


class WebRtcVad:
    """The GMM detector of WebRTC: no weights, 3 us per frame, easily fooled by noise.

    Its yes or no is averaged over 80 ms, so that single wrong frames stay below a threshold.
    """

    frame_samples = 320
    AVERAGED_FRAMES = 4
    _recent: list[float]

    def __init__(self, aggressiveness: int = 3) -> None:
        """Aggressiveness runs from 0 (hears speech everywhere) to 3 (only clear speech)."""
        self._aggressiveness = aggressiveness
        self.reset()

    def push(self, frame: Float32Array) -> float:
        """Return the share of the last four frames, (320,) each, that are speech."""
        assert frame.shape == (self.frame_samples,), frame.shape
        is_speech = self._detector.is_speech(to_int16(frame).tobytes(), SAMPLE_RATE_HZ)
        self._recent = [*self._recent[1:], float(is_speech)]
        return sum(self._recent) / self.AVERAGED_FRAMES

    def reset(self) -> None:
        """Forget the stream so far."""
        self._detector = webrtcvad.Vad(self._aggressiveness)
        self._recent = [0.0] * self.AVERAGED_FRAMES


def load_vad(name: str = "silero") -> Vad:
    """A detector by name, its weights fetched if need be.

    Raises:
        ConfigError: the name is neither "silero" nor "webrtc".
        WeightsError: the weights cannot be had.
    """
    if name == "silero":
        return SileroVad(resolve("silero-vad"))
    if name == "webrtc":
        return WebRtcVad()
    raise ConfigError(f"unknown voice activity detector '{name}'; known: silero, webrtc")
