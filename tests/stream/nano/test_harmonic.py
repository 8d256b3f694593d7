import numpy as np
import pytest

from selftalk.stream.nano import harmonic


def test_pulse_train_is_the_sum_of_its_harmonics():
    pitch = np.full(2400, 200.0)
    cycles = np.cumsum(pitch / harmonic.SAMPLE_RATE_HZ)
    pulses = harmonic.pulse_train(cycles, pitch)
    count = int(harmonic.TOP_HARMONIC_HZ // 200)
    waves = np.cos(2 * np.pi * np.arange(1, count + 1)[:, None] * cycles)
    np.testing.assert_allclose(pulses, waves.sum(0) / np.sqrt(count), atol=1e-3)


def test_unvoiced_is_silent():
    assert not harmonic.pulse_train(np.linspace(0, 3, 100), np.zeros(100)).any()


@pytest.mark.parametrize("pieces", [(50,), (1,) * 50, (7, 30, 13)])
def test_noise_and_overlap_add_chunked_equal_whole(pieces):
    whole = harmonic.noise_spectra(0, 50, seed=3)
    add = harmonic.OverlapAdd()
    expected = np.concatenate([add.push(whole), add.flush()])
    out, start = [], 0
    for length in pieces:
        spectra = harmonic.noise_spectra(start, length, seed=3)
        np.testing.assert_array_equal(spectra, whole[start : start + length])
        out.append(add.push(spectra))
        start += length
    out.append(add.flush())
    assert len(expected) == 50 * harmonic.FRAME_SAMPLES
    np.testing.assert_allclose(np.concatenate(out), expected, atol=1e-6)


def test_noise_has_the_power_of_windowed_white_noise():
    drawn = harmonic.noise_spectra(0, 400, seed=0)
    white = np.random.default_rng(1).standard_normal(400 * 240 + 720).astype(np.float32)
    real = harmonic.frame_spectra(white)
    assert np.mean(np.abs(drawn) ** 2) == pytest.approx(np.mean(np.abs(real) ** 2), rel=0.05)


def test_other_seed_other_noise():
    assert (harmonic.noise_spectra(0, 4, 1) != harmonic.noise_spectra(0, 4, 2)).all()
