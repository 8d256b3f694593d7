import numpy as np
import pytest

from selftalk.stream.sound.resample import LiveResampler, Resampler, resample

RATES = [(48000, 16000), (44100, 16000), (8000, 16000), (32000, 48000), (16000, 44100)]


def tone(hz: float, rate_hz: int, seconds: float = 0.5) -> np.ndarray:
    time = np.arange(int(rate_hz * seconds)) / rate_hz
    return np.sin(2 * np.pi * hz * time).astype(np.float32)


@pytest.mark.parametrize("kind", [Resampler, LiveResampler])
@pytest.mark.parametrize(("from_hz", "to_hz"), [*RATES, (16000, 16000)])
@pytest.mark.parametrize("chunk", [3, 160, 4096])
def test_chunked_equals_whole(kind, from_hz, to_hz, chunk):
    samples = np.random.default_rng(0).standard_normal(2000).astype(np.float32) * 0.2
    whole = kind(from_hz, to_hz)
    expected = np.concatenate([whole.push(samples), whole.flush()])
    chunked = kind(from_hz, to_hz)
    pieces = [chunked.push(samples[i : i + chunk]) for i in range(0, len(samples), chunk)]
    actual = np.concatenate([*pieces, chunked.flush()])
    np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize("kind", [Resampler, LiveResampler])
@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_keeps_its_time_level_and_length(kind, from_hz, to_hz):
    resampler = kind(from_hz, to_hz)
    actual = np.concatenate([resampler.push(tone(1000, from_hz)), resampler.flush()])
    expected = tone(1000, to_hz)
    assert abs(len(actual) - len(expected)) <= 1
    middle = slice(to_hz // 10, 4 * to_hz // 10)
    np.testing.assert_allclose(actual[middle], expected[middle], atol=2e-3)


@pytest.mark.parametrize("kind", [Resampler, LiveResampler])
def test_what_the_lower_rate_cannot_hold_is_removed(kind):
    resampler = kind(48000, 16000)
    actual = np.concatenate([resampler.push(tone(11000, 48000)), resampler.flush()])
    assert np.abs(actual[1600:-1600]).max() < 1e-3


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_the_live_resampler_waits_for_two_milliseconds_at_most(from_hz, to_hz):
    produced = LiveResampler(from_hz, to_hz).push(np.zeros(from_hz // 100, np.float32))
    assert 0.010 - len(produced) / to_hz <= 0.0021


@pytest.mark.parametrize("kind", [Resampler, LiveResampler])
def test_reset_and_flush_start_afresh(kind):
    samples = tone(440, 48000)
    resampler = kind(48000, 16000)
    first = np.concatenate([resampler.push(samples), resampler.flush()])
    resampler.push(samples[:1000])
    resampler.reset()
    again = np.concatenate([resampler.push(samples), resampler.flush()])
    np.testing.assert_array_equal(first, again)


def test_whole_recordings_are_converted_at_once():
    assert len(resample(tone(440, 8000), 8000, 16000)) == 8000
    assert len(resample(np.zeros(0, np.float32), 8000, 16000)) == 0
