import numpy as np
import pytest

from selftalk.stream.echo.room import EchoRoom, Room


def noise(samples):
    return np.random.default_rng(0).standard_normal(samples).astype(np.float32) * 0.1


@pytest.mark.parametrize("piece", [160, 333])
def test_chunked_equals_whole(piece):
    played, whole, chunked = noise(8000), EchoRoom(), EchoRoom()
    whole.push(played)
    for start in range(0, len(played), piece):
        chunked.push(played[start : start + piece])
    np.testing.assert_allclose(chunked.hear(8000), whole.hear(8000), atol=1e-5)


def test_the_echo_comes_late_and_dies_away():
    room = EchoRoom(Room(delay_ms=50, decay_ms=60))
    click = np.zeros(16_000, np.float32)
    click[0] = 1.0
    room.push(click)
    echo = room.hear(16_000)
    assert np.abs(echo[:800]).max() < 1e-7
    assert echo[800] == np.abs(echo).max()
    early, late = echo[801:1761], echo[801 + 1920 : 1761 + 1920]
    # 120 ms are two decay times: a factor of e^2 in level.
    assert np.std(early) / np.std(late) == pytest.approx(np.e**2, rel=0.2)


def test_the_gain_is_the_level_of_the_echo():
    room = EchoRoom(Room(gain=0.2))
    room.push(noise(32_000))
    assert np.std(room.hear(32_000)[8000:]) / 0.1 == pytest.approx(0.2, rel=0.15)


def test_an_overloaded_loudspeaker_adds_what_was_not_played():
    played = (0.9 * np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)).astype(np.float32)
    room = EchoRoom(Room(saturation=2.0, decay_ms=1))
    room.push(played)
    spectrum = np.abs(np.fft.rfft(room.hear(16_000)[4000:12_000]))
    assert spectrum[750] > 0.01 * spectrum[250]  # the third harmonic


def test_silence_is_heard_before_anything_was_played():
    assert EchoRoom().hear(320).tolist() == [0.0] * 320
