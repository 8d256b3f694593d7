import io

import numpy as np
import pytest
import soundfile

from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.resample import resample
from selftalk.stream.trust.cue import PATTERN, find_cue, rhythm_cue, with_pause

RATE_HZ = 24_000


def voice_like(seconds, seed=0):
    """A buzz with harmonics near 1 kHz whose loudness comes and goes as syllables do."""
    rng = np.random.default_rng(seed)
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    syllables = np.interp(at, np.arange(0, seconds + 1, 0.1), rng.random(int(seconds * 10) + 10))
    return (0.1 * buzz * syllables[: len(at)]).astype(np.float32)


def spoken_after_cue(level=1.0):
    cue = level * with_pause(rhythm_cue(RATE_HZ), RATE_HZ)
    return np.concatenate([voice_like(1.0), cue, voice_like(2.0, 1)]).astype(np.float32)


def found(samples, rate_hz=RATE_HZ):
    return find_cue(AudioChunk(np.ascontiguousarray(samples, np.float32), rate_hz))


def test_the_rhythm_is_short_long_short_short():
    cue = np.abs(rhythm_cue(RATE_HZ)).reshape(len(PATTERN), -1)
    assert ["".join("-" if unit.max() > 0.2 else " " for unit in cue)] == ["- ---   - -"]
    assert len(rhythm_cue(RATE_HZ)) == 1.32 * RATE_HZ


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x,
        lambda x: x / 4,
        lambda x: x + 0.003 * np.random.default_rng(2).standard_normal(len(x)),
        lambda x: resample(resample(x, RATE_HZ, 8_000), 8_000, RATE_HZ),
        lambda x: resample(x, RATE_HZ, int(RATE_HZ / 1.05)),
        lambda x: resample(x, RATE_HZ, int(RATE_HZ / 0.95)),
    ],
)
def test_the_cue_is_found_where_it_is(change):
    confidence, start = found(change(spoken_after_cue()))
    assert confidence > 0.9
    assert start == pytest.approx(1.0, abs=0.1)


def test_the_cue_is_found_in_an_mp3():
    file = io.BytesIO()
    soundfile.write(file, spoken_after_cue(), RATE_HZ, format="MP3")
    file.seek(0)
    samples, rate_hz = soundfile.read(file, dtype="float32")
    assert found(samples, rate_hz)[0] > 0.9


@pytest.mark.parametrize(
    "samples",
    [
        voice_like(10.0),
        np.zeros(RATE_HZ, np.float32),
        np.zeros(100, np.float32),
        np.sin(2 * np.pi * 1000 * np.arange(3 * RATE_HZ) / RATE_HZ),
        0.1 * np.random.default_rng(0).standard_normal(5 * RATE_HZ),
    ],
)
def test_other_sounds_are_no_cue(samples):
    assert found(samples) == (0.0, 0.0)


def test_tones_in_another_rhythm_are_no_cue():
    unit = RATE_HZ * 120 // 1000
    tone = np.sin(2 * np.pi * 1000 * np.arange(unit) / RATE_HZ)
    beeps = np.concatenate([np.concatenate([tone, np.zeros(unit)]) for _ in range(12)])
    assert found(beeps)[0] == 0.0
