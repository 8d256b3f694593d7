import numpy as np
import pytest

from selftalk.stream.echo.cancellation import EchoCanceller
from selftalk.stream.sound.audio import level_dbfs

RATE = 16_000


def noise(seconds, seed, level=0.1):
    drawn = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return (drawn * level).astype(np.float32)


def run(canceller, played, heard):
    cleaned = []
    for start in range(0, len(heard), 320):
        canceller.push_playback(played[start : start + 320])
        cleaned.append(canceller.push_capture(heard[start : start + 320]))
    return np.concatenate(cleaned)


@pytest.mark.parametrize("suppressor", [False, True])
def test_an_echo_is_taken_out(suppressor):
    played = noise(6, 0)
    room = np.zeros(800, np.float32)
    room[160], room[400] = 0.5, -0.2
    echo = np.convolve(played, room)[: len(played)].astype(np.float32)
    cleaned = run(EchoCanceller(suppressor), played, echo)
    assert len(cleaned) == len(echo)
    assert level_dbfs(cleaned[-2 * RATE :]) < level_dbfs(echo[-2 * RATE :]) - 20


def test_without_playback_the_microphone_passes():
    heard = noise(1, 1)
    cleaned = run(EchoCanceller(suppressor=False), np.zeros_like(heard), heard)
    np.testing.assert_allclose(cleaned, heard, atol=1e-6)
