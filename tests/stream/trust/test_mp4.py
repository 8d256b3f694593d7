"""The label in MP4 files: found where PyAV puts it, and nothing falls over what is damaged."""

import pytest
from fakes_trust import atom, mp4_with
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.trust import mp4
from selftalk.stream.trust.aigc import new_label
from selftalk.stream.trust.labels import read_label

LABEL = new_label("selftalk", "0123")
BOOK = mp4_with("AIGC", LABEL.to_json())


@pytest.mark.parametrize("quick_time", [False, True])
def test_a_text_is_read_by_its_name(quick_time):
    content = mp4_with("AIGC", LABEL.to_json(), quick_time=quick_time)
    assert mp4.is_mp4(content)
    assert mp4.read_text(content, "AIGC") == LABEL.to_json()
    assert mp4.read_text(content, "title") == "A book"
    assert mp4.read_text(content, "author") is None
    assert read_label(content) == LABEL


def test_metadata_may_stand_outside_the_user_data():
    moov = BOOK.index(b"moov") - 4
    udta = BOOK.index(b"udta") - 4
    content = BOOK[:moov] + atom(b"moov", BOOK[udta + 8 :])
    assert read_label(content) == LABEL


def test_a_long_atom_before_it_is_passed_over():
    moov = BOOK.index(b"moov") - 4
    long = (1).to_bytes(4) + b"mdat" + (16 + 5).to_bytes(8) + b"sound"
    assert read_label(BOOK[:moov] + long + BOOK[moov:]) == LABEL


@given(st.integers(0, len(BOOK)), st.binary(max_size=12))
def test_damage_is_no_label_and_no_error(place, other):
    damaged = BOOK[:place] + other + BOOK[place + len(other) :]
    assert read_label(damaged) in (None, LABEL) or damaged != BOOK


@given(st.integers(0, len(BOOK) - 1))
def test_a_part_of_a_file_holds_no_label(length):
    assert read_label(BOOK[:length]) is None
