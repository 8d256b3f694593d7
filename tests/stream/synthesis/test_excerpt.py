import numpy as np
import pytest

from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.excerpt import best_excerpt

RATE_HZ = 16_000
RANDOM = np.random.default_rng(0)


def speech(seconds, level=0.1):
    """Syllables: noise that swells five times a second."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 5 * time)
    return level * swell * RANDOM.standard_normal(len(time))


def pause(seconds):
    return 0.0005 * RANDOM.standard_normal(int(seconds * RATE_HZ))


def excerpt_of(*parts):
    """The best excerpt, and where in the recording it begins, in seconds."""
    samples = np.concatenate(parts).clip(-1, 1).astype(np.float32)
    found = best_excerpt(AudioChunk(samples, RATE_HZ))
    windows = np.lib.stride_tricks.sliding_window_view(samples, 64)[:: RATE_HZ // 50]
    (starts,) = np.nonzero((windows == found.samples[:64]).all(axis=1))
    return found, starts[0] / 50


@pytest.mark.parametrize("seconds", [2, 5, 10])
def test_a_short_recording_comes_back_whole(seconds):
    recording = AudioChunk(speech(seconds).astype(np.float32), RATE_HZ)
    assert best_excerpt(recording) is recording


def test_the_stretch_with_most_speech_is_chosen_from_pause_to_pause():
    found, start = excerpt_of(pause(8), speech(1), pause(4), speech(6), pause(8))
    assert start == pytest.approx(12.9, abs=0.1)
    assert found.duration_seconds == pytest.approx(6.2, abs=0.15)


def test_clipped_speech_is_avoided():
    found, start = excerpt_of(speech(6, level=2), pause(1), speech(5), pause(1))
    assert start == pytest.approx(6.9, abs=0.15)
    assert np.abs(found.samples).max() < 0.9


def test_steady_speech_is_better_than_changing():
    changing = np.concatenate([speech(1, level) for level in (0.02, 0.3, 0.02, 0.3, 0.02)])
    _, start = excerpt_of(changing, pause(1), speech(5), pause(1))
    assert start == pytest.approx(5.9, abs=0.15)


def test_speech_without_pauses_and_silence_still_give_an_excerpt():
    found, _ = excerpt_of(speech(40))
    assert 3 <= found.duration_seconds <= 10
    silent = best_excerpt(AudioChunk(np.zeros(30 * RATE_HZ, np.float32), RATE_HZ))
    assert 3 <= silent.duration_seconds <= 10


def test_five_minutes_are_quick_enough_to_search():
    parts = [part for _ in range(60) for part in (speech(4), pause(1))]
    found, _ = excerpt_of(*parts)
    assert 3 <= found.duration_seconds <= 10
