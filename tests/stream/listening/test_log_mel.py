import numpy as np
import pytest

from selftalk.stream.listening.log_mel import log_mel, mel_filters


def tone(hz):
    return np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000).astype(np.float32)


def test_the_filters_are_slaney_triangles_of_equal_area():
    filters = mel_filters()
    assert filters.shape == (80, 201)
    bin_hz = 40.0
    # Wide triangles are sampled finely enough for their area to show.
    np.testing.assert_allclose(filters[60:].sum(axis=1) * bin_hz, 1.0, rtol=0.03)
    # The corners are spaced evenly in mel: 45.2453 mel at 8 kHz over 81 steps.
    assert np.argmax(filters[79]) * bin_hz == pytest.approx(7689, abs=bin_hz)


def test_a_tone_is_seen_in_its_band_and_nowhere_else():
    features = log_mel(tone(1000))
    assert features.shape == (80, 100)
    assert features.dtype == np.float32
    band = int(np.argmax(features[:, 50]))
    assert np.argmax(mel_filters()[:, 25]) == pytest.approx(band, abs=1)
    assert features[band, 50] - features[60, 50] > 1


def test_silence_has_finite_features():
    assert np.isfinite(log_mel(np.zeros(16_000, np.float32))).all()
