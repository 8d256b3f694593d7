import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftalk.stream.synthesis.silence import LEAD_MS, EdgeSilence, pause_ms

RATE_HZ = 24_000


def tone(ms):
    return np.full(RATE_HZ * ms // 1000, 0.1, np.float32)


def silence(ms):
    return np.full(RATE_HZ * ms // 1000, 0.0001, np.float32)


def through(samples, pause=300, sizes=(10**9,)):
    edge = EdgeSilence(RATE_HZ, pause)
    pieces, place, index = [], 0, 0
    while place < len(samples):
        size = sizes[index % len(sizes)]
        pieces.append(edge.push(samples[place : place + size]))
        place, index = place + size, index + 1
    pieces.append(edge.flush())
    return np.concatenate(pieces), edge


def test_silence_before_the_first_sound_is_cut_to_a_moment():
    heard, edge = through(np.concatenate([silence(500), tone(100)]), pause=0)
    assert len(heard) == RATE_HZ * (LEAD_MS + 100) // 1000
    assert edge.trimmed_samples == RATE_HZ * (500 - LEAD_MS) // 1000


def test_a_short_beginning_is_left_alone():
    speech = np.concatenate([silence(20), tone(100)])
    heard, edge = through(speech, pause=0)
    np.testing.assert_array_equal(heard, speech)
    assert edge.trimmed_samples == 0


@pytest.mark.parametrize("left", [0, 100, 300, 900])
def test_the_pause_after_the_last_sound_is_as_long_as_asked(left):
    heard, _ = through(np.concatenate([tone(100), silence(left)]), pause=300)
    assert len(heard) == RATE_HZ * 400 // 1000
    assert (heard[: RATE_HZ // 10] == np.float32(0.1)).all()


def test_pauses_within_are_as_they_were():
    speech = np.concatenate([tone(100), silence(700), tone(100)])
    heard, _ = through(speech, pause=200)
    np.testing.assert_array_equal(heard[: len(speech)], speech)


def test_silence_up_to_the_pause_is_not_held_back():
    edge = EdgeSilence(RATE_HZ, 300)
    edge.push(tone(100))
    assert len(edge.push(silence(200))) == RATE_HZ * 200 // 1000
    assert len(edge.push(silence(200))) == RATE_HZ * 100 // 1000


def test_nothing_but_silence_is_nothing():
    assert len(through(silence(500))[0]) == 0
    assert len(through(np.zeros(0, np.float32))[0]) == 0


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=6),
    st.lists(st.integers(37, 5000), min_size=1, max_size=4),
    st.integers(0, 400),
)
def test_chunked_equals_whole(parts, sizes, pause):
    speech = np.concatenate(
        [np.zeros(0, np.float32), *((tone if loud else silence)(ms) for loud, ms in parts)]
    )
    whole, once = through(speech, pause)
    chunked, often = through(speech, pause, sizes)
    np.testing.assert_array_equal(chunked, whole)
    assert often.trimmed_samples == once.trimmed_samples


def test_punctuation_says_how_long_the_pause_is():
    assert pause_ms("Yes.") > pause_ms("Yes;") > pause_ms("Yes,") > pause_ms("Yes")
    assert pause_ms("Well...") > pause_ms("Well.")
    assert pause_ms("“Yes.”") == pause_ms("Yes.") == pause_ms("好。")
    assert pause_ms("Yes.", speed=2) == pause_ms("Yes.") // 2
