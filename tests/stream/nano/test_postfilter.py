"""The postfilter: deeper valleys, higher peaks, and nothing else."""

import numpy as np
import pytest

from selftalk.stream.nano.harmonic import BINS, SAMPLE_RATE_HZ
from selftalk.stream.nano.postfilter import NEPERS_PER_DB, REACH_HZ, Postfilter

BIN_HZ = SAMPLE_RATE_HZ / 2 / (BINS - 1)
PULSES, NOISE, FREE = range(3)


def formants(frames=3):
    """Log gains that rise and fall every 1000 Hz, around a slope."""
    hz = np.arange(BINS) * BIN_HZ
    gains = np.cos(2 * np.pi * hz / 1000) - hz / 4000
    return np.broadcast_to(gains, (3, frames, BINS)).astype(np.float32)


def test_without_numbers_nothing_changes():
    gains = np.random.default_rng(0).standard_normal((3, 4, BINS)).astype(np.float32)
    np.testing.assert_array_equal(Postfilter.from_numbers({})(gains), gains)


def test_numbers_come_back():
    postfilter = Postfilter(0.4, 6.0, -2.0)
    assert Postfilter.from_numbers(postfilter.numbers()) == postfilter


def test_formants_stand_out_and_the_slope_stays():
    gains = formants()
    changed = Postfilter(contrast=0.5)(gains)
    middle = slice(2 * round(REACH_HZ / BIN_HZ), BINS - 2 * round(REACH_HZ / BIN_HZ))
    ripple = gains - gains.mean(-1, keepdims=True)
    for part in (PULSES, FREE):
        added = (changed - gains)[part, 0, middle]
        np.testing.assert_allclose(
            added, 0.5 * np.cos(2 * np.pi * np.arange(BINS) * BIN_HZ / 1000)[middle], atol=0.1
        )
        assert abs(added.mean()) < 0.05
    assert np.ptp(changed[PULSES]) > np.ptp(ripple[PULSES])
    np.testing.assert_array_equal(changed[NOISE], gains[NOISE])


@pytest.mark.parametrize("gain", [-3.0, 0.0, 2.0])
def test_a_flat_spectrum_stays_flat(gain):
    flat = np.full((3, 2, BINS), gain, np.float32)
    np.testing.assert_allclose(Postfilter(contrast=0.9)(flat), flat, atol=1e-5)


def test_treble_and_level_are_decibels_of_every_part():
    zeros = np.zeros((3, 1, BINS), np.float32)
    decibels = Postfilter(treble_db=8.0, level_db=-2.0)(zeros) / NEPERS_PER_DB
    np.testing.assert_allclose(decibels[:, 0, 0], -6.0, atol=1e-4)
    np.testing.assert_allclose(decibels[:, 0, -1], 2.0, atol=1e-4)


def test_each_frame_is_changed_alone():
    gains = np.random.default_rng(1).standard_normal((3, 7, BINS)).astype(np.float32)
    postfilter = Postfilter(0.45, 8.0, -2.2)
    pieces = [postfilter(gains[:, :3]), postfilter(gains[:, 3:4]), postfilter(gains[:, 4:])]
    np.testing.assert_allclose(np.concatenate(pieces, 1), postfilter(gains), atol=1e-5)
