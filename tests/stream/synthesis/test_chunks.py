import time

import numpy as np
import pytest

from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.chunks import ahead, held_back, limited, pieces_of, windows_of
from selftalk.stream.synthesis.schedule import Costs, FixedPlan, Machine, solve


def test_an_error_while_drawing_tokens_reaches_the_caller():
    def broken():
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(ahead(pieces_of(broken(), FixedPlan((1,))), StopFlag()))


def test_pieces_grow_and_the_last_length_repeats():
    assert [len(piece) for piece in pieces_of(iter(range(20)), FixedPlan((2, 3, 6)))] == [
        2,
        3,
        6,
        6,
        3,
    ]


def test_cuts_fall_into_pauses_and_wait_for_none():
    quick = solve(Machine(Costs(0.001, 0.002, 0.001), Costs(0.002, 0.004, 0.002), 3))

    def ends(*pauses):
        quiet = [token in pauses for token in range(90)]  # of the last ones nothing is known
        return [piece[-1] for piece in pieces_of(iter(range(100)), quick.begin(), quiet)]

    assert ends() == [4, 7, 12, 22, 42, 67, 92, 99]
    assert ends(18, 19, 30) == [4, 7, 12, 18, 30, 55, 80, 99]
    assert ends(1, 25, 95) == ends(), "too short a chunk would be late, or none was there to cut"


def test_what_is_spoken_lags_behind_what_is_known_until_the_end_is_found():
    def windows(length):
        found = windows_of(iter(range(length)), FixedPlan((3, 5), lookahead_tokens=2))
        return [(len(window.tokens), window.spoken_tokens, window.left) for window in found]

    assert windows(10) == [(3, 1, None), (5, 6, None), (2, 10, 0)]
    assert windows(8) == [(3, 1, None), (5, 6, None), (0, 8, 0)], "its end is found after a cut"
    assert windows(1) == [(1, 1, 0)]
    assert windows(0) == [(0, 0, 0)]


def test_drawing_stays_only_a_little_ahead():
    drawn = []

    def endless():
        while True:
            drawn.append(1)
            yield [1]

    pieces = ahead(endless(), StopFlag())
    next(pieces)
    deadline = time.monotonic() + 5
    while len(drawn) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    pieces.close()
    assert len(drawn) == 4  # one taken, two waiting, one in hand


def test_limiter_leaves_quiet_sound_alone_and_never_reaches_full_scale():
    quiet = np.linspace(-0.8, 0.8, 100, dtype=np.float32)
    np.testing.assert_array_equal(limited(quiet), quiet)
    loud = limited(np.linspace(-9, 9, 1001, dtype=np.float32))
    assert np.abs(loud).max() <= 1
    assert (np.diff(loud) >= 0).all()


def test_held_back_until_enough_are_there():
    made = []

    def chunks():
        for chunk in range(5):
            made.append(chunk)
            yield chunk

    passed = held_back(chunks(), 3)
    assert next(passed) == 0
    assert made == [0, 1, 2]
    assert list(passed) == [1, 2, 3, 4]
    assert list(held_back(iter([1]), 3)) == [1]
