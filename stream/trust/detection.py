"""Detection: is this sound from us, or from anybody who marks alike? Label, watermark, cue.

Nothing found means nothing: marks can be removed. Knows nothing about who speaks.
"""

import importlib.util
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from selftalk.stream.errors import AudioFileError
from selftalk.stream.sound.any_audio import read_any_audio
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.trust.aigc import SYNTHETIC, AigcLabel
from selftalk.stream.trust.cue import find_cue
from selftalk.stream.trust.labels import read_label
from selftalk.stream.trust.mp4 import is_mp4
from selftalk.stream.trust.watermark import (
    DETECTOR_RATE_HZ,
    FRAMES_PER_SECOND,
    MARKED,
    can_be_judged,
    presences,
    spectrogram,
)

WINDOW_FRAMES, STEP_FRAMES = 4 * FRAMES_PER_SECOND, 2 * FRAMES_PER_SECOND
BLOCK_FRAMES = 60 * FRAMES_PER_SECOND
"""Decoded at a time, which bounds the memory that a long file takes."""
SPEEDS = (0.98, 1.02, 0.96, 1.04, 0.95, 1.05, 0.94, 1.06, 0.92, 1.08, 0.9, 1.1)
"""Tried when nothing is found: the mark survives a change of speed of 1 %, not of more."""
SEARCHED_SECONDS = 12
CLEARLY_MARKED = 0.8
"""At another speed: so many are tried that chance has more chances."""


@dataclass(frozen=True, slots=True)
class WatermarkFinding:
    """What the decoder read."""

    found: bool
    confidence: float
    """The highest presence in any four seconds."""
    share: float
    """Of the sound in which the mark is found."""
    judged: float
    """Share of the sound that holds the bands the mark needs; of the rest nobody can tell."""
    speed: float
    """At which it was found; 1 is as it was made."""


@dataclass(frozen=True, slots=True)
class CueFinding:
    """Whether the four tones are heard."""

    found: bool
    confidence: float
    start_seconds: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """All three marks of one file."""

    label: AigcLabel | None
    watermark: WatermarkFinding
    cue: CueFinding

    @property
    def synthetic(self) -> bool:
        """Whether any of the marks says so."""
        return self.labelled or self.watermark.found or self.cue.found

    @property
    def labelled(self) -> bool:
        """Whether the file itself says that it is synthetic."""
        return self.label is not None and self.label.Label == SYNTHETIC

    @property
    def confidence(self) -> float:
        """Of the surest mark that was found; 0 when none was."""
        marks = (self.watermark, self.cue)
        sure = [mark.confidence for mark in marks if mark.found] + [1.0] * self.labelled
        return max(sure, default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {
            "synthetic": self.synthetic,
            "confidence": self.confidence,
            "label": asdict(self.label) if self.label else None,
            "watermark": asdict(self.watermark),
            "cue": asdict(self.cue),
        }


def detect_file(path: str | Path) -> Findings:
    """Look for all marks in a file.

    Raises:
        AudioFileError: it is missing, not an audio file, or needs PyAV to be heard.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioFileError(f"audio file '{path}' does not exist")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AudioFileError(f"'{path}' cannot be read: {error.strerror}") from error
    label = read_label(content)
    try:
        chunk = read_any_audio(path)
    except AudioFileError as error:
        if not is_mp4(content) or importlib.util.find_spec("av") is not None:
            raise
        if label is None:
            raise AudioFileError(
                f"'{path}' can only be heard with the package av: pip install 'selftalk[studio]'"
            ) from error
        chunk = AudioChunk(np.zeros(0, np.float32), DETECTOR_RATE_HZ)
    return Findings(label, find_watermark(chunk), _find_cue(chunk))


def find_watermark(chunk: AudioChunk, *, search_speeds: bool = True) -> WatermarkFinding:
    """Look for the mark in every part of a sound.

    Args:
        chunk: any sound.
        search_speeds: if nothing is found, try whether the sound was made faster or slower.
    """
    found = _read(spectrogram(chunk))
    if found.found or not found.judged or not search_speeds:
        return found
    longest = SEARCHED_SECONDS * chunk.sample_rate_hz
    begin = AudioChunk(chunk.samples[:longest], chunk.sample_rate_hz)
    for speed in SPEEDS:
        sought = _read(spectrogram(_slowed(begin, speed)), speed, CLEARLY_MARKED)
        if sought.found:
            return sought
    return found


def _read(levels: Float32Array, speed: float = 1.0, least: float = MARKED) -> WatermarkFinding:
    blocks = [levels[block] for block in _pieces(len(levels), BLOCK_FRAMES)]
    read = np.array(list(chain.from_iterable(map(_read_block, blocks))))
    judged = ~np.isnan(read)
    scores = np.clip(np.where(judged, read, 0), 0, 1)
    best, share = float(scores.max()), float((scores > least).mean())
    return WatermarkFinding(
        best > least, round(best, 3), round(share, 3), round(float(judged.mean()), 3), speed
    )


def _read_block(levels: Float32Array) -> list[float]:
    """Presence in each piece; not a number where nobody can tell."""
    pieces = _pieces(len(levels), WINDOW_FRAMES)
    read = presences(levels, pieces)
    return [x if can_be_judged(levels[at]) else np.nan for x, at in zip(read, pieces, strict=True)]


def _pieces(frames: int, longest: int) -> list[slice]:
    """Pieces of at most this length, each two seconds into the one before its end."""
    last = max(0, frames - longest)
    starts = [*range(0, last, longest - STEP_FRAMES), last]
    return [slice(start, min(start + longest, frames)) for start in dict.fromkeys(starts)]


def _slowed(chunk: AudioChunk, speed: float) -> AudioChunk:
    """What was there before it was played at another speed."""
    rate = round(DETECTOR_RATE_HZ * speed)
    return AudioChunk(resample(chunk.samples, chunk.sample_rate_hz, rate), DETECTOR_RATE_HZ)


def _find_cue(chunk: AudioChunk) -> CueFinding:
    confidence, start = find_cue(chunk)
    found = confidence > 0
    return CueFinding(found, round(confidence, 3), round(start, 2) if found else None)
