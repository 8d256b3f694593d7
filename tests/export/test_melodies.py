import sys

import numpy as np
import pytest

from selftalk.export.melodies import best_tracker, compare_all, summarize
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.evaluation.melody import Melody
from selftalk.stream.evaluation.systems import Spoken
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.pitch import track_pitch

RATE_HZ = 16_000
SENTENCES = [Sentence(text, "en") for text in ("up", "down", "round")]


def buzz(rise):
    """A buzz that rises by so many semitones, and grows brighter."""
    place = np.linspace(0, 1, RATE_HZ)
    phase = 2 * np.pi * np.cumsum(130 * 2 ** (rise * place / 12)) / RATE_HZ
    harmonics = np.arange(1, 20)[:, None]
    sound = np.exp(-np.abs(harmonics - 2 - 14 * place) / 3) * np.sin(harmonics * phase)
    return AudioChunk((0.1 * sound.sum(0)).astype(np.float32), RATE_HZ)


class Risers:
    """Each voice rises."""

    name = "risers"
    voices = ("a little", "more")

    def say(self, sentence, voice):
        return Spoken(buzz({"a little": 4, "more": 8}[voice]), 0.0, 0.0)


def test_voices_take_turns_and_are_imitated():
    asked = []

    def imitate(voice, told, sentence):
        asked.append((voice, sentence.text))
        return told

    found = compare_all(Risers(), SENTENCES, imitate, track_pitch, "ours")
    assert asked == [("a little", "up"), ("more", "down"), ("a little", "round")]
    assert found.sentences == 3
    assert found.tracker == "ours"
    assert found.correlation == pytest.approx(1)
    assert found.spread_semitones == pytest.approx(found.teacher_spread_semitones)


def test_who_falls_where_the_teacher_rises_has_another_melody():
    found = compare_all(Risers(), SENTENCES, lambda *_: buzz(-6), track_pitch, "ours")
    assert found.correlation < -0.9


def test_the_interval_holds_the_mean():
    found = summarize([Melody(value, 0.1, 3.0, 5.0) for value in (0.2, 0.5, 0.8)], "ours")
    assert found.correlation == pytest.approx(0.5)
    assert 0.19 < found.interval[0] < 0.5 < found.interval[1] < 0.81


def test_without_swift_f0_our_own_tracker_judges(monkeypatch):
    monkeypatch.setitem(sys.modules, "swift_f0", None)
    assert best_tracker() == ("autocorrelation", track_pitch)


def test_swift_f0_hears_the_same_rise():
    name, track = best_tracker()
    assert name == "swift-f0"
    heard, ours = track(buzz(6)), track_pitch(buzz(6))
    length = min(len(heard), len(ours))
    both = (heard[:length] > 0) & (ours[:length] > 0)
    assert both.sum() > 50
    assert np.abs(12 * np.log2(heard[:length][both] / ours[:length][both])).mean() < 0.5
