"""Take: one recorded file as it came in, and where in it somebody speaks.

Reads WAV, FLAC, OGG and MP3 by itself, and whatever else PyAV knows (M4A, WebM, video) when that
is installed. Knows nothing about quality.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from selftalk.stream.errors import AudioFileError
from selftalk.stream.listening.vad import Vad
from selftalk.stream.sound.any_audio import HIGHEST_RATE_HZ, read_any_audio
from selftalk.stream.sound.audio import AudioChunk, Float32Array, FrameBuffer, level_dbfs
from selftalk.stream.sound.resample import resample

SAMPLE_RATE_HZ = 16_000
"""At which a take is judged; it is kept at its own."""
SUFFIXES = frozenset(
    ".wav .flac .ogg .opus .mp3 .aiff .aif .m4a .m4b .aac .webm .mp4 .mkv .mov .wma".split()
)
LONGEST_SECONDS = 30 * 60

SPEECH, NO_SPEECH = 0.5, 0.3
"""Probabilities at which speech begins and ends."""
LONGEST_GAP_SECONDS = 0.25
SHORTEST_SPEECH_SECONDS = 0.25
MARGIN_SECONDS = 0.06
"""Detectors hear the edges of words a little late."""

Regions = tuple[tuple[int, int], ...]
"""Stretches from the first sample to the one after the last."""


@dataclass(frozen=True)
class Take:
    """A recording by itself."""

    name: str
    audio: AudioChunk
    regions: Regions
    """Where there is speech, in samples at `audio`'s rate."""

    @cached_property
    def at_16_khz(self) -> Float32Array:
        """(T,) for the checks."""
        return resample(self.audio.samples, self.audio.sample_rate_hz, SAMPLE_RATE_HZ)

    @cached_property
    def is_speech(self) -> np.ndarray:
        """For each sample of `at_16_khz` whether it is speech: (T,) bool."""
        mask = np.zeros(len(self.at_16_khz), bool)
        scale = SAMPLE_RATE_HZ / self.audio.sample_rate_hz
        for start, end in self.regions:
            mask[round(start * scale) : round(end * scale)] = True
        return mask

    @cached_property
    def speech_dbfs(self) -> float:
        """Level of the speech alone."""
        return level_dbfs(self.at_16_khz[self.is_speech])

    @property
    def seconds(self) -> float:
        """Length."""
        return self.audio.duration_seconds

    @property
    def speech_seconds(self) -> float:
        """How much of it is speech."""
        samples = sum(end - start for start, end in self.regions)
        return samples / self.audio.sample_rate_hz


def take_of(name: str, audio: AudioChunk, vad: Vad) -> Take:
    """Find the speech in a recording; a constant that a cheap sound card adds is taken away."""
    if audio.sample_rate_hz > HIGHEST_RATE_HZ:
        samples = resample(audio.samples, audio.sample_rate_hz, HIGHEST_RATE_HZ)
        audio = AudioChunk(samples, HIGHEST_RATE_HZ)
    audio = replace(audio, samples=audio.samples - offset_of(audio))
    return Take(name, audio, find_speech(audio, vad))


def offset_of(audio: AudioChunk) -> np.float32:
    """Around what the samples swing in the quietest tenth of all moments of 20 ms."""
    size = max(1, audio.sample_rate_hz // 50)
    frames = audio.samples[: len(audio) // size * size].reshape(-1, size)
    if not len(frames):
        return np.float32(0)
    spread = frames.std(axis=1)
    return np.float32(np.median(frames[spread <= np.quantile(spread, 0.1)].mean(axis=1)))


def read_take(path: Path, vad: Vad) -> Take:
    """Read a file of any format.

    Raises:
        AudioFileError: it is missing, unreadable, too long, or holds no samples.
    """
    audio = read_any_audio(path, LONGEST_SECONDS)
    if audio.duration_seconds > LONGEST_SECONDS:
        raise AudioFileError(
            f"'{path}' is {audio.duration_seconds / 60:.0f} minutes long;"
            f" at most {LONGEST_SECONDS // 60} are taken"
        )
    return take_of(path.name, audio, vad)


def find_speech(audio: AudioChunk, vad: Vad) -> Regions:
    """Where somebody speaks, in samples at the audio's rate."""
    vad.reset()
    samples = resample(audio.samples, audio.sample_rate_hz, SAMPLE_RATE_HZ)
    frames = FrameBuffer(vad.frame_samples).push(np.pad(samples, (0, vad.frame_samples - 1)))
    probabilities = [vad.push(frame) for frame in frames]
    vad.reset()
    frame_seconds = vad.frame_samples / SAMPLE_RATE_HZ
    rough = [
        (start * frame_seconds, end * frame_seconds) for start, end in _stretches(probabilities)
    ]
    rate, last = audio.sample_rate_hz, len(audio)
    return tuple(
        (
            max(0, round((start - MARGIN_SECONDS) * rate)),
            min(last, round((end + MARGIN_SECONDS) * rate)),
        )
        for start, end in _without_gaps(rough)
        if end - start >= SHORTEST_SPEECH_SECONDS
    )


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The audio files among paths, of which some may be folders; in order.

    Raises:
        AudioFileError: a path does not exist, or there is no audio at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if entry.is_file())
            found += [entry for entry in inside if entry.suffix.lower() in SUFFIXES]
        elif path.is_file():
            found.append(path)
        else:
            raise AudioFileError(f"audio file '{path}' does not exist")
    if not found:
        raise AudioFileError("no audio file was found; WAV, FLAC, OGG, MP3 and M4A are taken")
    return found


def _stretches(probabilities: list[float]) -> list[tuple[int, int]]:
    """Frames of speech, with hysteresis."""
    found, start = [], -1
    for place, probability in enumerate(probabilities):
        if start < 0 and probability >= SPEECH:
            start = place
        elif start >= 0 and probability < NO_SPEECH:
            found.append((start, place))
            start = -1
    return [*found, (start, len(probabilities))] if start >= 0 else found


def _without_gaps(stretches: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in stretches:
        if merged and start - merged[-1][1] < LONGEST_GAP_SECONDS:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
