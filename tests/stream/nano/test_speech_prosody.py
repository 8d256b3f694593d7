import numpy as np
import pytest

from selftalk.stream.nano.speech_prosody import (
    ENERGY_SCALE,
    PITCH_SCALE,
    USUAL_LOG_PITCH,
    VOICED_ENERGY,
    mel_energy,
    speech_prosody,
)
from selftalk.stream.sound.audio import AudioChunk


def hum(hz, seconds, rate_hz=24_000):
    """A buzz with harmonics, as a larynx makes it; the pitch may change over time."""
    phase = np.cumsum(np.broadcast_to(hz, int(seconds * rate_hz)) / rate_hz)
    wave = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 12))
    return (0.1 * wave).astype(np.float32)


def test_an_octave_is_an_octave_and_the_mean_lies_between():
    low, high = hum(120.0, 0.6), hum(240.0, 0.6)
    prosody = speech_prosody(AudioChunk(np.concatenate([low, high]), 24_000))
    assert prosody.frames.shape == (120, 3)
    assert np.exp(prosody.mean_log_pitch) == pytest.approx(120 * np.sqrt(2), rel=0.05)
    step = prosody.frames[90, 0] - prosody.frames[30, 0]
    assert step == pytest.approx(PITCH_SCALE * np.log(2), rel=0.03)
    assert prosody.frames[30, 1] == prosody.frames[90, 1] == 1


def test_the_level_of_a_recording_does_not_matter():
    samples = np.concatenate([hum(150.0, 0.5), np.zeros(4800, np.float32), hum(150.0, 0.5)])
    loud = speech_prosody(AudioChunk(samples, 24_000)).frames
    quiet = speech_prosody(AudioChunk(0.1 * samples, 24_000)).frames
    np.testing.assert_allclose(loud[20:40], quiet[20:40], atol=0.02)
    assert loud[30, 2] == pytest.approx(ENERGY_SCALE * VOICED_ENERGY, rel=0.1)
    assert loud[60, 2] < loud[30, 2] - 1  # the gap


def test_noise_has_no_melody():
    noise = 0.05 * np.random.default_rng(0).standard_normal(24_000).astype(np.float32)
    prosody = speech_prosody(AudioChunk(noise, 24_000))
    assert prosody.frames[:, 1].mean() < 0.2
    silence = speech_prosody(AudioChunk(np.zeros(24_000, np.float32), 24_000))
    assert silence.mean_log_pitch == USUAL_LOG_PITCH
    assert not silence.frames[:, :2].any()


def test_energy_grows_with_the_logarithm_of_power():
    samples = hum(200.0, 0.5)
    difference = mel_energy(10 * samples)[10:-10] - mel_energy(samples)[10:-10]
    np.testing.assert_allclose(difference, np.log(100), rtol=0.01)
