import numpy as np
import pytest

from selftalk.models.training.corpus import UNIT_SAMPLES
from selftalk.models.training.examples import (
    PITCH_SCALE,
    excitation,
    kept_samples,
    kept_units,
    prosody_frames,
)


def test_the_excitation_has_the_pitch_of_the_teacher():
    pulses = excitation(np.full(80, 200.0, np.float32), 24_000)
    spectrum = np.abs(np.fft.rfft(pulses * np.hanning(len(pulses))))
    strongest = np.argmax(spectrum[100:300]) + 100
    assert strongest == pytest.approx(200, abs=1)  # a bin is 1 Hz


def test_unvoiced_frames_are_silent_but_move_the_phase():
    pitch = np.full(80, 200.0, np.float32)
    pitch[30:40] = 7.0
    pulses = excitation(pitch, 24_000)
    assert not pulses[30 * 300 : 40 * 300].any()
    shifted = pitch.copy()
    shifted[30:40] = 0.0
    assert not np.allclose(pulses[45 * 300 :], excitation(shifted, 24_000)[45 * 300 :], atol=0.1)


def test_prosody_is_relative_to_the_mean_and_interpolated():
    pitch = np.repeat([100.0, 200.0, 0.0], 40).astype(np.float32)
    mean = np.log(100 * 200) / 2
    prosody = prosody_frames(pitch, np.full(120, 2.0, np.float32), 150, mean)
    np.testing.assert_allclose(prosody[10, 0], -PITCH_SCALE * np.log(2) / 2, rtol=1e-4)
    np.testing.assert_allclose(prosody[75, 0], PITCH_SCALE * np.log(2) / 2, rtol=1e-4)
    np.testing.assert_array_equal(prosody[120, :2], 0)
    np.testing.assert_allclose(prosody[:, 2], 0.5, rtol=1e-5)


def test_an_utterance_is_cut_to_whole_tokens_with_little_silence(tiny_utterances):
    utterance = tiny_utterances[0]  # 3 units of silence, 3 symbols of 3, 2 of silence
    assert kept_units(utterance) == (1, 14)
    span = kept_samples(utterance)
    assert span.start == UNIT_SAMPLES
    assert (span.stop - span.start) % 960 == 0
    assert 0 <= 14 * UNIT_SAMPLES - span.stop < 960
