import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.nano.alignment import (
    NO_SYMBOL,
    TOKEN_SAMPLES,
    UNIT_SAMPLES,
    align,
    frame_text,
    unknown_text,
)
from selftalk.stream.nano.semantic import LONGEST_UNITS, planned_units


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


@given(st.lists(st.floats(0.05, 50), min_size=1, max_size=50))
def test_rounding_errors_do_not_add_up(durations):
    alignment = align(np.array(durations))
    wanted = np.cumsum(durations) * UNIT_SAMPLES
    assert np.abs(alignment.ends_samples - wanted).max() <= 0.5 + 1e-6
    assert (np.diff(alignment.frame_symbol) >= 0).all()
    assert ((alignment.frame_place[:, 0] >= 0) & (alignment.frame_place[:, 0] <= 1)).all()


def test_half_a_unit_is_half_a_unit():
    alignment = align(np.array([4.0, 1.6, 1.6, 0.8, 8.0]))
    frames = np.bincount(alignment.frame_symbol)
    assert frames.tolist() == [10, 4, 4, 2, 20]


def test_planned_durations_are_bounded_and_follow_the_speed():
    log_durations = np.log(np.array([2, 3, 500], np.float32))
    np.testing.assert_allclose(planned_units(log_durations), [2, 3, LONGEST_UNITS], rtol=1e-6)
    np.testing.assert_allclose(planned_units(log_durations, 2.0)[:2], [1, 1.5], rtol=1e-6)


def test_a_frame_knows_its_symbol_and_the_neighbours():
    text = frame_text(np.array([7, 8, 9, 10]), align(np.array([8, 8, 8, 8])))
    assert len(text) == 80
    assert text.symbols[0].tolist() == [NO_SYMBOL, NO_SYMBOL, 7, 8, 9]
    assert text.symbols[-1].tolist() == [8, 9, 10, NO_SYMBOL, NO_SYMBOL]
    assert text[20:40].symbols[:, 2].tolist() == [8] * 20
    assert (np.diff(text[20:40].place[:, 0]) > 0).all()
    assert text.last(3).symbols.tolist() == [text.symbols[-1].tolist()] * 3


def test_unknown_text_is_no_symbol_anywhere():
    text = unknown_text(4)
    assert len(text) == 4
    assert (text.symbols == NO_SYMBOL).all()
    assert not text.place.any()
