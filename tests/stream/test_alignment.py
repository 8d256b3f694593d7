import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.alignment import TOKEN_SAMPLES, UNIT_SAMPLES, align
from selftalk.stream.semantic import whole_units


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30).filter(any))
def test_every_long_symbol_is_spoken_and_order_is_kept(durations):
    durations = np.array(durations)
    alignment = align(durations)
    assert alignment.tokens == -(-durations.sum() * UNIT_SAMPLES // TOKEN_SAMPLES)
    assert (np.diff(alignment.token_symbol) >= 0).all()
    assert (np.diff(alignment.frame_symbol) >= 0).all()
    for index in np.flatnonzero(durations):  # 25 ms always hold a frame's centre
        assert index in alignment.frame_symbol
    skipped = set(np.flatnonzero(durations[:-1] == 0))  # the last one also fills the last token
    assert not skipped & set(alignment.frame_symbol)


def test_place_grows_from_0_to_1_inside_a_symbol():
    alignment = align(np.array([8, 8]))
    progress = alignment.token_place[:, 0]
    assert alignment.tokens == 10
    assert (np.diff(progress[:5]) > 0).all()
    assert progress[5] < progress[4]
    assert alignment.token_place[0, 1] == pytest.approx(np.log(8))


@given(st.lists(st.floats(0, 50), min_size=1, max_size=50))
def test_rounding_errors_do_not_add_up(durations):
    whole = whole_units(np.array(durations))
    assert (whole >= 0).all()
    assert abs(whole.sum() - sum(durations)) <= 0.5 + 1e-6
