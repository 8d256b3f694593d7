"""Melodies: does a voice model's pitch rise and fall as its teacher's does?

The teacher says held-out sentences in voices that no training heard; the model says the same ones
in the same timbre and height of voice, at its own pace and in its own melody. Knows nothing about
how either speaks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.evaluation.melody import FRAME_SECONDS, Melody, Track, compare_melodies
from selftalk.stream.evaluation.systems import System
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.pitch import LOWEST_HZ, track_pitch

Imitate = Callable[[str, AudioChunk, Sentence], AudioChunk]
"""Says a sentence as (the teacher's voice, the teacher's recording of it) would have it."""

RESAMPLES = 2000
SURE = 0.9  # of SwiftF0 that a frame is voiced; in noise and silence it is much less


@dataclass(frozen=True, slots=True)
class Melodies:
    """How the melodies of many sentences compare; means over sentences."""

    sentences: int
    correlation: float
    interval: tuple[float, float]
    """95 %, by drawing sentences again and again with replacement."""
    voicing_errors: float
    spread_semitones: float
    teacher_spread_semitones: float
    tracker: str


def compare_all(
    teacher: System, sentences: Sequence[Sentence], imitate: Imitate, track: Track, tracker: str
) -> Melodies:
    """Let both say the sentences, the teacher's voices taking turns."""
    found: list[Melody] = []
    for index, sentence in enumerate(sentences):
        voice = teacher.voices[index % len(teacher.voices)]
        told = teacher.say(sentence, voice).audio
        melody = compare_melodies(imitate(voice, told, sentence), told, track)
        if melody is not None:
            found.append(melody)
    return summarize(found, tracker)


def summarize(found: Sequence[Melody], tracker: str) -> Melodies:
    """Means of the melodies of at least one sentence."""
    assert found, "nothing was voiced"
    correlations = np.array([melody.correlation for melody in found])
    draws = np.random.default_rng(0).integers(0, len(found), (RESAMPLES, len(found)))
    low, high = np.percentile(correlations[draws].mean(1), [2.5, 97.5])
    return Melodies(
        len(found),
        float(correlations.mean()),
        (float(low), float(high)),
        float(np.mean([melody.voicing_errors for melody in found])),
        float(np.mean([melody.spread_semitones for melody in found])),
        float(np.mean([melody.other_spread_semitones for melody in found])),
        tracker,
    )


def best_tracker() -> tuple[str, Track]:
    """SwiftF0 (Nieradzik 2025) if it is installed, a judge that is not ours; else our own."""
    try:
        from swift_f0 import SwiftF0
    except ImportError:
        return "autocorrelation", track_pitch
    detector = SwiftF0()

    def track(chunk: AudioChunk) -> Float32Array:
        heard = detector.detect(chunk.samples, chunk.sample_rate_hz, fmin=LOWEST_HZ)
        at = np.arange(0, chunk.duration_seconds, FRAME_SECONDS)
        nearest = np.abs(heard.timestamps[None] - at[:, None]).argmin(1)
        hz = np.where(heard.confidence >= SURE, heard.pitch_hz, 0)
        result: Float32Array = hz[nearest].astype(np.float32)
        return result

    return "swift-f0", track
