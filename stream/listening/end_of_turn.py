"""Has the speaker finished, or only paused? A model that listens to how the sentence ended.

Smart-turn v3 (BSD-2) reads the log-mel features of Whisper over the last eight seconds.
Knows nothing about silence or waiting; `turns.py` turns its probability into a wait.
"""

from pathlib import Path
from typing import Protocol

import numpy as np

from selftalk.stream.fetching.weights import resolve
from selftalk.stream.graphs.onnx import open_session, run_session
from selftalk.stream.listening.log_mel import log_mel
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.io import SAMPLE_RATE_HZ

HEARD_SAMPLES = 8 * SAMPLE_RATE_HZ


class EndOfTurn(Protocol):
    """Judges whether an utterance is complete."""

    def probability(self, speech: AudioChunk) -> float:
        """Return the probability that nothing will follow this 16 kHz speech and its pause."""
        ...


class SmartTurn:
    """Smart-turn v3.2: about 0.1 s of one core for each judgement."""

    # It was trained on pauses of 200 ms; the turn detector asks after the first 100.
    ADDED_SILENCE = np.zeros(SAMPLE_RATE_HZ // 10, np.float32)

    def __init__(self, path: str | Path) -> None:
        self._session = open_session(path)

    def probability(self, speech: AudioChunk) -> float:
        """Return the probability that nothing will follow this 16 kHz speech and its pause."""
        assert speech.sample_rate_hz == SAMPLE_RATE_HZ, speech.sample_rate_hz
        heard = np.concatenate([speech.samples, self.ADDED_SILENCE])
        features = log_mel(_normalised(_last_seconds(heard)))
        outputs = run_session(self._session, {"input_features": features[None]})
        return float(outputs["logits"][0, 0])  # despite its name already a probability


def load_end_of_turn() -> EndOfTurn:
    """The default model, its weights fetched if need be.

    Raises:
        WeightsError: the weights cannot be had.
    """
    return SmartTurn(resolve("smart-turn-v3.2"))


def _normalised(samples: Float32Array) -> Float32Array:
    """Loudness taken out, as smart-turn was trained."""
    return np.asarray((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7), np.float32)


def _last_seconds(samples: Float32Array) -> Float32Array:
    """The last eight seconds; what is shorter is preceded by silence."""
    heard = samples[-HEARD_SAMPLES:]
    return np.pad(heard, (HEARD_SAMPLES - len(heard), 0))
