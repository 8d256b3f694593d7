import numpy as np
import pytest

from selftalk.models.content_encoder import SILENCE
from selftalk.models.training.augment import (
    WARPS,
    coloured_noise,
    convolved,
    elsewhere,
    live_log_mel,
    room_response,
)
from selftalk.stream.listening.log_mel import mel_filters

TONE = (0.3 * np.sin(2 * np.pi * 1500 * np.arange(16_000) / 16_000)).astype(np.float32)


def loudest_hz(mel):
    centres = (mel_filters() * np.arange(201)).sum(1) / mel_filters().sum(1) * 40
    return centres[mel[20:-20].mean(0).argmax()]


@pytest.mark.parametrize("warp", [WARPS[0], 1.0, WARPS[-1]])
def test_a_warp_moves_every_frequency_and_no_moment(warp):
    mel = live_log_mel(TONE, warp)
    assert mel.shape == (100, 80)
    assert loudest_hz(mel) == pytest.approx(1500 / warp, rel=0.05)
    half = np.where(np.arange(16_000) < 8000, TONE, 0).astype(np.float32)
    quiet = live_log_mel(half, warp).max(1) < -0.5
    np.testing.assert_array_equal(quiet[[10, 40, 60, 90]], [False, False, True, True])


def test_mel_bands_know_nothing_of_the_whole():
    loud_later = np.concatenate([TONE, 30 * TONE])
    np.testing.assert_allclose(live_log_mel(TONE)[:98], live_log_mel(loud_later)[:98], atol=1e-6)


def test_silence_is_what_the_encoder_takes_for_silence():
    np.testing.assert_allclose(live_log_mel(np.zeros(1600, np.float32)), SILENCE, rtol=1e-6)


def test_elsewhere_is_other_sound_at_the_same_time_and_the_same_again():
    clicks = np.zeros(16_000, np.float32)
    clicks[4000:4400] = TONE[:400]
    made = [elsewhere(clicks, np.random.default_rng(seed)) for seed in range(8)]
    assert all(len(sound) == 16_000 for sound in made)
    peaks = [np.convolve(np.square(sound), np.ones(400), "same").argmax() for sound in made]
    assert np.median(np.abs(np.array(peaks) - 4200)) < 400
    np.testing.assert_array_equal(made[3], elsewhere(clicks, np.random.default_rng(3)))
    assert np.abs(made[3] - made[4]).max() > 1e-3


def test_a_room_begins_with_the_direct_sound():
    response = room_response(np.random.default_rng(0))
    click = np.zeros(800, np.float32)
    click[100] = 1
    heard = convolved(click, response)
    np.testing.assert_allclose(heard[100:], response[:700], atol=1e-5)
    assert np.abs(heard[:100]).max() < 1e-5


def test_noise_has_unit_power():
    noise = coloured_noise(8000, np.random.default_rng(0))
    assert np.square(noise).mean() == pytest.approx(1, rel=1e-3)
