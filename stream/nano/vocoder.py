"""Vocoder: tokens and aligned symbols → 24 kHz sound, piece by piece, exactly as if at once.

The graph says, for every 10 ms, the pitch and how to filter pulses and noise; the filtering and
the inverse transform are done here. The graph looks `lookahead_frames` ahead, so its filters come
that much later than its pitch. Knows nothing about text or sampling.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.graphs.graph import ON_ONE_CORE, Graph, RunOptions, StatefulGraph, zeros
from selftalk.stream.nano.alignment import FRAMES_PER_TOKEN, FrameText
from selftalk.stream.nano.harmonic import (
    BINS,
    EDGE_SAMPLES,
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    OverlapAdd,
    frame_spectra,
    noise_spectra,
    pulse_train,
)
from selftalk.stream.nano.postfilter import Postfilter
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.synthesis.bundle import Bundle

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

PITCH_SCALE = 4.0  # the network's pitch is four times the relative log pitch
LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ = 50.0, 800.0
MAX_LOG_GAIN = 6.0


@dataclass(frozen=True, slots=True)
class Speaker:
    """What the vocoder has to know about a voice."""

    vector: Float32Array  # (S,)
    mean_log_pitch: float


class Vocoder:
    """Makes streams; safe to share between threads."""

    def __init__(
        self, bundle: Bundle, run: RunOptions = ON_ONE_CORE, graph: bytes | None = None
    ) -> None:
        """Open the vocoder of a bundle, or a personal `graph` in its place."""
        self._graph = Graph(graph or bundle.graph_path("vocoder"), run)
        self._initial = zeros(bundle.state_shapes("vocoder"))
        self.lookahead_tokens = int(bundle.manifest.numbers["vocoder_lookahead_tokens"])
        self.sample_rate_hz = bundle.manifest.sample_rate_hz
        self._postfilter = Postfilter.from_numbers(bundle.manifest.numbers)

    def stream(self, speaker: Speaker, seed: int = 0) -> "VocoderStream":
        """Begin an utterance."""
        graph = StatefulGraph(self._graph, self._initial)
        return VocoderStream(graph, speaker, self.lookahead_tokens, self._postfilter, seed)


class VocoderStream:
    """One utterance; `push` gives the samples that no later token can change."""

    def __init__(
        self,
        graph: StatefulGraph,
        speaker: Speaker,
        lookahead_tokens: int,
        postfilter: Postfilter,
        seed: int,
    ) -> None:
        self._graph = graph
        self._speaker = speaker
        self._lookahead_tokens = lookahead_tokens
        self._postfilter = postfilter
        self._seed = seed
        self._frame = 0  # the next frame whose filter will come
        self._total_frames = 0
        self._source = PulseSource(speaker.mean_log_pitch)
        self._pulses = np.zeros(EDGE_SAMPLES, np.float32)  # from the next frame's window on
        self._overlap = OverlapAdd()
        self._last: tuple[int, FrameText] | None = None

    def push(self, tokens: Int64Array, text: FrameText) -> Float32Array:
        """Add tokens (T,) and the text of their 4 T frames."""
        if not len(tokens):
            return np.zeros(0, np.float32)
        self._last = (int(tokens[-1]), text.last(1))
        self._total_frames += len(text)
        return self._advance(tokens, text)

    def flush(self) -> Float32Array:
        """The rest of the utterance: what was held back for the look-ahead."""
        if self._last is None:
            return np.zeros(0, np.float32)
        token, text = self._last
        ahead = self._lookahead_tokens
        tokens = np.full(ahead, token, np.int64)
        rest = self._advance(tokens, text.last(FRAMES_PER_TOKEN * ahead))
        return np.concatenate([rest, self._overlap.flush()])

    def _advance(self, tokens: Int64Array, text: FrameText) -> Float32Array:
        outputs = self._graph.push(
            tokens=tokens[None],
            symbols=text.symbols[None],
            place=text.place[None],
            speaker=self._speaker.vector[None],
        )
        pulses = self._source.push(outputs["prosody"][0])
        self._pulses = np.concatenate([self._pulses, pulses])
        frames = outputs["filters"][0][: max(0, self._total_frames - self._frame)]
        return self._overlap.push(self._shape(frames))

    def _shape(self, filters: Float32Array) -> npt.NDArray[np.complex64]:
        """Filter pulses and noise: (T, 5 * BINS) → spectra (T, BINS)."""
        T = len(filters)
        if not T:
            return np.zeros((0, BINS), np.complex64)
        needed = T * FRAME_SAMPLES + 2 * EDGE_SAMPLES
        window = self._pulses[:needed]
        missing = needed - len(window)
        spectra = frame_spectra(np.pad(window, (0, missing)) if missing else window)
        self._pulses = self._pulses[T * FRAME_SAMPLES :]
        noise = noise_spectra(self._frame, T, self._seed)
        self._frame += T
        return apply_filters(filters, spectra, noise, self._postfilter)


def apply_filters(
    filters: Float32Array,
    pulses: npt.NDArray[np.complex64],
    noise: npt.NDArray[np.complex64],
    postfilter: Postfilter,
) -> npt.NDArray[np.complex64]:
    """Shape spectra of pulses and noise (T, BINS) by filters (T, 5 * BINS)."""
    gain, phase, noise_gain, free_gain, free_phase = np.moveaxis(
        filters.reshape(len(filters), 5, BINS), 1, 0
    )
    log_gains = postfilter(np.stack([gain, noise_gain, free_gain]))
    gains = np.exp(np.minimum(log_gains, MAX_LOG_GAIN))
    shaped: npt.NDArray[np.complex64]
    shaped = gains[0] * unit(phase) * pulses + gains[1] * noise + gains[2] * unit(free_phase)
    return shaped


def unit(phase: Float32Array) -> npt.NDArray[np.complex64]:
    """exp(i phase), without complex exponentials."""
    rotation = np.empty(phase.shape, np.complex64)
    rotation.real, rotation.imag = np.cos(phase), np.sin(phase)
    return rotation


class PulseSource:
    """Predicted prosody at 100 Hz → pulses at 24 kHz; the phase runs on between pieces."""

    def __init__(self, mean_log_pitch: float) -> None:
        self._mean = mean_log_pitch
        self._cycles = 0.0
        self._pitch_hz = float(np.exp(mean_log_pitch))  # of the last voiced frame
        self._voiced = False
        self._first = True

    def push(self, prosody: Float32Array) -> Float32Array:
        """Prosody (T, 3) → the samples up to the last frame's centre, the first half included."""
        from_hz, to_hz, voiced = self._glides(prosody)
        steps = np.arange(1, FRAME_SAMPLES + 1) / FRAME_SAMPLES
        pitch = from_hz[:, None] + (to_hz - from_hz)[:, None] * steps
        # Of the samples between two centres each half is voiced as its own frame is.
        speaking = np.where(steps <= 0.5, voiced[:-1, None], voiced[1:, None])
        pitch, speaking = pitch.ravel(), speaking.ravel()
        if self._first:  # the first centre is half a frame after the beginning
            pitch, speaking = pitch[FRAME_SAMPLES // 2 :], speaking[FRAME_SAMPLES // 2 :]
            self._first = False
        cycles = self._cycles + np.cumsum(pitch) / SAMPLE_RATE_HZ
        if len(cycles):
            self._cycles = float(cycles[-1] % 1.0)
        return pulse_train(cycles, np.where(speaking, pitch, 0.0))

    def _glides(self, prosody: Float32Array) -> tuple[Float64Array, Float64Array, BoolArray]:
        """From which pitch to which each stretch between two centres goes: (T,), (T,).

        Voicing (T + 1,) begins with the frame before. Where speech sets in, the stretch has its
        pitch from the start; where it ends, the last pitch is held.
        """
        voiced = np.concatenate([[self._voiced], prosody[:, 1] > 0])  # the network gives a logit
        wanted = np.exp(self._mean + prosody[:, 0].astype(np.float64) / PITCH_SCALE)
        wanted = wanted.clip(LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ)
        from_hz, to_hz = np.empty(len(wanted)), np.empty(len(wanted))
        for index, hz in enumerate(wanted):
            to_hz[index] = hz if voiced[index + 1] else self._pitch_hz
            from_hz[index] = self._pitch_hz if voiced[index] else to_hz[index]
            self._pitch_hz = float(to_hz[index])
        self._voiced = bool(voiced[-1])
        return from_hz, to_hz, voiced
