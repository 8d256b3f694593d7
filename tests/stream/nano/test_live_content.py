import numpy as np
import pytest

from selftalk.stream.nano.live_content import LiveContent

SPEECH = np.random.default_rng(3).standard_normal(640 * 75 + 100).astype(np.float32) * 0.1


class Listener:
    """Its token is the first sample of the 40 ms, so that it tells where it was heard."""

    def __init__(self):
        self.windows = []

    def tokens(self, samples, prosody):
        assert len(samples) * 4 == len(prosody) * 640
        self.windows.append(len(samples) // 640)
        return (1e6 * samples[::640]).astype(np.int64)


def heard(pieces, **sizes):
    listener = Listener()
    live = LiveContent(listener, **sizes)
    made = [live.push(piece) for piece in pieces]
    return [*made, live.flush()], listener.windows


@pytest.mark.parametrize("size", [1, 320, 641, 20_000, 10**6])
def test_every_token_is_heard_once_however_the_sound_is_cut(size):
    if size == 1:
        pieces = [SPEECH[:20_000], *SPEECH[20_000:26_000].reshape(-1, 1), SPEECH[26_000:]]
    else:
        pieces = [SPEECH[start : start + size] for start in range(0, len(SPEECH), size)]
    made, windows = heard(pieces)
    expected = (1e6 * SPEECH[::640][:75]).astype(np.int64)
    np.testing.assert_array_equal(np.concatenate(made), expected)
    _, at_once = heard([SPEECH])
    assert windows == at_once


def test_each_token_has_its_past_and_what_is_ahead():
    _, windows = heard([SPEECH], new_tokens=10, ahead_tokens=3, past_tokens=20)
    assert windows == [13, 23, 33, 33, 33, 33, 33, 25]


def test_no_token_comes_before_what_is_ahead_of_it_or_later_than_told():
    live = LiveContent(Listener(), new_tokens=8, ahead_tokens=4)
    given = 0
    for end in range(160, len(SPEECH), 160):
        given += len(live.push(SPEECH[end - 160 : end]))
        assert given * 640 + 4 * 640 <= end or not given
        assert given * 640 > end - live.delay_samples


def test_nothing_is_nothing():
    live = LiveContent(Listener())
    assert live.push(np.zeros(0, np.float32)).shape == (0,)
    assert live.push(np.zeros(639, np.float32)).shape == (0,)
    assert live.flush().shape == (0,)


def buzz(hz, seconds):
    phase = np.cumsum(np.full(int(seconds * 16_000), hz / 16_000))
    return sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 12)).astype(np.float32) * 0.1


def test_pitch_is_relative_to_what_was_heard_so_far():
    seen = []

    class Prosodist:
        def tokens(self, samples, prosody):
            seen.append(prosody)
            return np.zeros(len(samples) // 640, np.int64)

    live = LiveContent(Prosodist(), new_tokens=10, ahead_tokens=0, past_tokens=10)
    live.push(np.concatenate([buzz(120.0, 2.0), buzz(180.0, 0.8)]))
    assert abs(seen[0][20, 0]) < 0.1  # its own mean is all that is known
    assert seen[-1][-20, 0] == pytest.approx(4 * np.log(1.5), abs=0.5)
    assert seen[-1][-20, 1] == 1
