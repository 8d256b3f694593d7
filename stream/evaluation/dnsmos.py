"""DNSMOS P.835: how clean speech sounds, on the scale of listeners from 1 to 5.

A small network that was trained on the ratings of listening tests (Reddy et al. 2022, "DNSMOS
P.835"). It judges noise and distortion; it does not hear mispronounced words, and synthetic
speech easily pleases it, so that it never stands alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selftalk.stream.fetching.weights import resolve
from selftalk.stream.graphs.onnx import open_session
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample

WEIGHTS = "dnsmos"
SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 144_160  # 9.01 s, what the network hears at once
STEP_SAMPLES = SAMPLE_RATE_HZ

# Raw scores are mapped to the scale of the listening test by these polynomials of the publisher.
_SIGNAL = (-0.08397278, 1.22083953, 0.0052439)
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)


@dataclass(frozen=True, slots=True)
class Quality:
    """Ratings from 1 (bad) to 5 (excellent)."""

    signal: float
    """Of the voice itself."""
    overall: float
    """Background included."""


class Dnsmos:
    """Rates speech."""

    def __init__(self, graph: Path | None = None) -> None:
        """Open the network: (1, 144160) samples → (1, 3) raw scores; fetched if not given."""
        self._session = open_session(graph or resolve(WEIGHTS), 1)
        self._input = self._session.get_inputs()[0].name

    def rate(self, chunk: AudioChunk) -> Quality:
        """The mean rating over windows; what is shorter than one is repeated."""
        samples = resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)
        assert len(samples), "silence of no length has no quality"
        if len(samples) < WINDOW_SAMPLES:
            samples = np.resize(samples, WINDOW_SAMPLES).astype(np.float32)
        starts = range(0, len(samples) - WINDOW_SAMPLES + 1, STEP_SAMPLES)
        windows = [samples[start : start + WINDOW_SAMPLES] for start in starts]
        raw = np.mean([self._scores(window) for window in windows], axis=0)
        return Quality(float(raw[0]), float(raw[1]))

    def _scores(self, window: Float32Array) -> tuple[float, float]:
        signal, _, overall = self._session.run(None, {self._input: window[None]})[0][0]
        return float(np.polyval(_SIGNAL, signal)), float(np.polyval(_OVERALL, overall))
