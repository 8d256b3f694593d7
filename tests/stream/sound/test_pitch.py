from pathlib import Path

import numpy as np
import pytest

from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.sound.pitch import (
    HOP_SAMPLES,
    SAMPLE_RATE_HZ,
    mean_log_pitch,
    pitch_spread_semitones,
    track_pitch,
)

DATA = Path(__file__).parents[2] / "data"


def voice(hz, seconds=1.0, rate=SAMPLE_RATE_HZ, harmonics=12):
    """A buzz whose pitch may glide: harmonics that fall like those of a voice."""
    curve = np.broadcast_to(hz, int(seconds * rate)) if np.isscalar(hz) else hz
    phase = 2 * np.pi * np.cumsum(curve) / rate
    waves = sum(np.sin(n * phase) / n for n in range(1, harmonics + 1))
    return AudioChunk((0.2 * waves).astype(np.float32), rate)


@pytest.mark.parametrize("hz", [75, 110, 180, 260, 400])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_steady_pitch_is_found(hz, rate):
    pitch = track_pitch(voice(hz, rate=rate))
    assert np.mean(pitch > 0) > 0.95
    assert np.exp(mean_log_pitch(pitch)) == pytest.approx(hz, rel=0.01)
    assert pitch_spread_semitones(pitch) < 0.3


def test_a_frame_is_ten_milliseconds():
    assert len(track_pitch(voice(150, 1.0))) == SAMPLE_RATE_HZ // HOP_SAMPLES


def test_a_glide_is_followed():
    curve = np.geomspace(120, 240, SAMPLE_RATE_HZ)
    pitch = track_pitch(voice(curve))
    expected = curve[::HOP_SAMPLES]
    error = np.abs(np.log2(pitch[5:-5] / expected[5:-5]))
    assert error.max() < 0.05
    assert pitch_spread_semitones(pitch) == pytest.approx(0.8 * 12, abs=0.7)


def test_a_missing_fundamental_does_not_matter():
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    waves = sum(np.sin(2 * np.pi * 130 * n * time) for n in (3, 4, 5, 6))
    pitch = track_pitch(AudioChunk(0.2 * waves.astype(np.float32), SAMPLE_RATE_HZ))
    assert np.exp(mean_log_pitch(pitch)) == pytest.approx(130, rel=0.02)


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    assert np.mean(track_pitch(AudioChunk(noise, SAMPLE_RATE_HZ)) > 0) < 0.05
    silence = track_pitch(AudioChunk(np.zeros(8000, np.float32), SAMPLE_RATE_HZ))
    assert mean_log_pitch(silence) == pitch_spread_semitones(silence) == 0.0


def test_what_is_shorter_than_a_frame_has_none():
    assert len(track_pitch(AudioChunk(np.zeros(50, np.float32), SAMPLE_RATE_HZ))) == 0


def test_a_man_reads_in_a_mans_pitch():
    pitch = track_pitch(read_audio(DATA / "unless_to_be.flac"))
    assert 80 < np.exp(mean_log_pitch(pitch)) < 150
    assert 0.4 < np.mean(pitch > 0) < 0.85


def test_a_few_octave_errors_do_not_move_the_mean():
    pitch = np.full(100, 120, np.float32)
    pitch[::15] = 240
    assert np.exp(mean_log_pitch(pitch)) == pytest.approx(120, rel=1e-3)
