"""The watermark: a pattern below 2 kHz that nobody hears and a network finds again.

The networks are Perth's (Resemble AI, MIT). Their encoder looks at the levels of 128 bands of
15.6 Hz and tells, every 10 ms, by how much to raise or lower each. Here it only looks back, and its
change is put into the newest 20 ms of sound, so that speech is marked while it streams:

    samples ─ long window ─▶ levels ─ encoder ─▶ gains ─ short window ─▶ what is added

A mark is found or not; it carries no message. Knows nothing about labels, files and voices.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import ConfigError
from selftalk.stream.graphs.onnx import Session, float32, open_session, run_session
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.trust.bandwidth import is_speech_wide

BANDS = 128
FRAMES_PER_SECOND = 100
WINDOW_MS = 64
PAST_FRAMES = 15
"""What the encoder looks back on, beyond the frame it changes."""
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
BRANCHES = ("slow", "normal", "fast")
_STRETCH = {"slow": 1.25, "normal": 1.0, "fast": 0.75}

DETECTOR_RATE_HZ = 16_000
_REFERENCE_WINDOW = 2048  # the networks learned at 32 kHz, where 64 ms are 2048 samples
_FLOOR_DB, _SPAN_DB = -180.0, 195.0
_DYNAMIC_DB = 75.0
"""What lies further below the loudest level counts as that far below it: the decoder never learned
from bands that a filter had emptied, and takes such silence for a mark."""
_AUDIBLE_SHARE = 0.05
"""Of the loudest frame's summed levels; below it a frame is digital silence."""
MARKED = 0.5
"""Presence in a few seconds: speech has 0, marked speech 1, damaged marks something between."""

Float64Array = npt.NDArray[np.float64]


def watermark_folder() -> Path:
    """Where the two graphs are."""
    return Path(str(resources.files("selftalk.configs"))) / "watermark"


class Watermarker:
    """Marks one stream of speech: push samples, take marked ones, at last flush.

    Nothing is shifted: as many samples come out as went in, each 20 ms later.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        """Prepare a stream.

        Raises:
            ConfigError: at this rate 64 ms are no even number of samples.
        """
        window = sample_rate_hz * WINDOW_MS / 1000
        if window % 2 or sample_rate_hz % FRAMES_PER_SECOND or window / 2 < BANDS:
            raise ConfigError(
                f"speech at {sample_rate_hz} Hz cannot be marked;"
                " 8000, 16000, 24000, 32000 and 48000 can"
            )
        self._window, self._hop = int(window), sample_rate_hz // FRAMES_PER_SECOND
        self._encoder = _encoder()
        self.reset()

    @property
    def delay_samples(self) -> int:
        """How much of the newest sound is held back."""
        return 2 * self._hop

    def reset(self) -> None:
        """Begin a new stream."""
        self._heard = np.zeros(self._window, np.float64)  # before the stream: silence
        self._fresh_samples = 0  # at the end of it: no frame has ended behind them yet
        self._owed_samples = 0  # pushed and not given back
        self._skip_samples = self._hop  # the first frame finishes what was before the stream
        self._levels = np.zeros((PAST_FRAMES, BANDS), np.float32)
        self._added = np.zeros(self.delay_samples, np.float64)

    def push(self, samples: Float32Array) -> Float32Array:
        """Add (T,) samples; return those that are marked by now, (about T,)."""
        self._heard = np.concatenate([self._heard, samples])
        self._owed_samples += len(samples)
        self._fresh_samples += len(samples)
        frames = self._fresh_samples // self._hop
        if not frames:
            return np.zeros(0, np.float32)
        self._fresh_samples -= frames * self._hop
        end = len(self._heard) - self._fresh_samples
        start = end - self._window - (frames - 1) * self._hop
        windows = np.lib.stride_tricks.sliding_window_view(self._heard[start:end], self._window)
        change = self._mark(windows[:: self._hop])
        finished = end - self._hop
        marked = self._heard[finished - len(change) : finished] + change
        marked = marked[self._skip_samples :]
        self._skip_samples = 0
        self._owed_samples -= len(marked)
        self._heard = self._heard[end - self._window :]
        return marked.astype(np.float32)

    def flush(self) -> Float32Array:
        """Return what was held back, and begin a new stream."""
        owed = self._owed_samples
        rest = self.push(np.zeros(self.delay_samples, np.float32))[:owed]
        self.reset()
        return rest

    def _mark(self, windows: Float64Array) -> Float64Array:
        """(N, window) frames → (N hops,) to be added to the sound from a hop before each end."""
        levels = levels_of(windows, self._window)
        change = gains(self._encoder, self._levels, levels) - 1
        self._levels = np.concatenate([self._levels, levels])[-PAST_FRAMES:]
        analysis, synthesis = _windows(self._window, self._hop)
        spectrum = np.fft.rfft(windows * analysis, axis=1)
        spectrum[:, :BANDS] *= change
        spectrum[:, BANDS:] = 0
        pieces = np.fft.irfft(spectrum, self._window, axis=1)[:, -2 * self._hop :] * synthesis
        finished = np.empty((len(windows), self._hop))
        for index, piece in enumerate(pieces):
            self._added = np.append(self._added[self._hop :], np.zeros(self._hop)) + piece
            finished[index] = self._added[: self._hop]
        return finished.ravel()


def gains(encoder: Session, past: Float32Array, levels: Float32Array) -> Float32Array:
    """(15, 128) levels before and (N, 128) now → (N, 128) factors of amplitude."""
    seen = np.concatenate([past, levels]).T[None]
    residual = run_session(encoder, {"levels": float32(seen)})["residual"][0].T
    return np.asarray(10 ** (residual * _SPAN_DB / 20), np.float32)


def levels_of(windows: Float64Array, window_samples: int) -> Float32Array:
    """(N, window) frames of sound → (N, 128) levels as the networks know them, 0 for silence."""
    spectrum = np.abs(np.fft.rfft(windows * _hann(window_samples), axis=1)[:, :BANDS])
    scaled = spectrum * (_REFERENCE_WINDOW / window_samples)
    level_db = 20 * np.log10(np.maximum(scaled, 10 ** (_FLOOR_DB / 20)))
    return ((level_db - _FLOOR_DB) / _SPAN_DB).astype(np.float32)


def is_marked(chunk: AudioChunk) -> bool | None:
    """Whether a short sound, such as a sentence, carries the mark; None if none can tell."""
    levels = spectrogram(chunk)
    return presence(levels) > MARKED if can_be_judged(levels) else None


def can_be_judged(levels: Float32Array) -> bool:
    """Whether (T, 128) levels hold the bands without which the decoder's answer is chance."""
    return is_speech_wide(10 ** ((levels.astype(np.float64) * _SPAN_DB + _FLOOR_DB) / 10))


def spectrogram(chunk: AudioChunk) -> Float32Array:
    """Levels of a whole sound, frames centred: (1 + T // 160, 128)."""
    samples = resample(chunk.samples, chunk.sample_rate_hz, DETECTOR_RATE_HZ)
    window = DETECTOR_RATE_HZ * WINDOW_MS // 1000
    hop = DETECTOR_RATE_HZ // FRAMES_PER_SECOND
    padded = np.pad(samples, window // 2).astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    return levels_of(frames, window)


def presence(levels: Float32Array) -> float:
    """Whether (T, 128) levels are marked: about 1 if they are, about 0 if not."""
    return presences(levels, [slice(0, len(levels))])[0]


def presences(levels: Float32Array, pieces: Iterable[slice]) -> list[float]:
    """The same for pieces of (T, 128) levels, which may overlap; all of them is decoded once."""
    heard = np.maximum(levels, levels.max(initial=0) - _DYNAMIC_DB / _SPAN_DB).astype(np.float32)
    stretched = {name: _stretched(heard, factor) for name, factor in _STRETCH.items()}
    read = run_session(_decoder(), {name: float32(x.T[None]) for name, x in stretched.items()})
    marks = [read[f"{name}_marks"][0] for name in BRANCHES]
    return [_presence_in(levels[piece], piece.start, len(levels), marks) for piece in pieces]


def _presence_in(
    levels: Float32Array, start: int, frames: int, marks: Sequence[Float32Array]
) -> float:
    """Weigh what each branch read, (2, frames of the branch), in the audible part of a piece."""
    loudness = levels.sum(axis=1)
    audible = loudness > _AUDIBLE_SHARE * loudness.max(initial=0)
    if not audible.any():
        return 0.0
    heard = start + np.flatnonzero(audible)
    means = []
    for branch in marks:
        places = np.unique(np.minimum(heard * branch.shape[1] // frames, branch.shape[1] - 1))
        means.append(branch[:, places].mean(axis=1))
    weights, values = np.array(means).T
    attention = np.exp(weights - weights.max())
    return float(np.dot(values, attention) / attention.sum())


def _stretched(levels: Float32Array, factor: float) -> Float32Array:
    """Interpolate in time; first and last frame stay where they are."""
    frames = max(1, int(len(levels) * factor))
    if frames == len(levels):
        return levels
    at = np.linspace(0, len(levels) - 1, frames)
    before = np.floor(at).astype(np.int64)
    after = np.minimum(before + 1, len(levels) - 1)
    share = (at - before).astype(np.float32)[:, None]
    return np.asarray(levels[before] * (1 - share) + levels[after] * share, np.float32)


@cache
def _encoder() -> Session:
    return open_session(watermark_folder() / ENCODER)


@cache
def _decoder() -> Session:
    return open_session(watermark_folder() / DECODER)


@cache
def _hann(samples: int) -> Float64Array:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples), np.float64)


@cache
def _windows(window: int, hop: int) -> tuple[Float64Array, Float64Array]:
    """Analysis window that falls in its last hop, and a short one whose product with it is Hann.

    Products of neighbouring frames add up to 1 in each hop, so a gain of 1 gives back the sound.
    """
    rise = np.sin(np.pi / 2 * np.arange(window - hop) / (window - hop))
    fall = np.cos(np.pi / 2 * np.arange(hop) / hop)
    analysis = np.concatenate([rise, fall])
    return analysis, _hann(2 * hop) / np.maximum(analysis[-2 * hop :], 1e-9)
