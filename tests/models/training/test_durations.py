from itertools import islice

import numpy as np
import pytest

from selftalk.models.training.corpus import Line
from selftalk.models.training.durations import (
    Person,
    load_lines,
    planned_line,
    planned_lines,
    save_lines,
)
from selftalk.models.training.styles import ProsodyMix, Timbre
from selftalk.models.training.teacher import MAX_CHARACTERS
from selftalk.stream.errors import ConfigError, TextError
from selftalk.stream.text.symbols import SYMBOLS_V2


class FakeTeacher:
    """A character lasts 2.3 units, divided by the speed; silence 9."""

    def durations(self, characters, style, speed):
        assert style == len(characters)
        units = np.full(len(characters) + 2, 2.3 / speed, np.float32)
        units[0] = units[-1] = 9
        return units


class FakeBank:
    def style(self, timbre, prosody, length):
        return length


def person(language="en", speed=1.0):
    line = Line(
        text="", language=language, symbols=(), runs=(), speaker="s1",
        timbre=Timbre("mix", ("af_heart",)), prosody=ProsodyMix(("af_heart",)), speed=speed,
    )  # fmt: skip
    return Person(line, np.full(129, 0.5, np.float32))


def test_a_line_has_a_duration_for_each_symbol_that_is_not_rounded():
    line = planned_line(FakeTeacher(), FakeBank(), "No.", person())
    assert [SYMBOLS_V2[symbol] for symbol in line.symbols] == ["SP", "N", "OW1", ".", "SP"]
    np.testing.assert_allclose(line.durations, [2, 2.3, 4.6, 2.3, 5], rtol=1e-6)
    assert line.durations.dtype == np.float32
    np.testing.assert_array_equal(line.speaker, person().speaker)


def test_nothing_is_shorter_than_the_teacher_can_speak():
    line = planned_line(FakeTeacher(), FakeBank(), "No.", person(speed=4))
    np.testing.assert_allclose(line.durations, [2, 1, 2, 1, 5])


def test_what_the_teacher_cannot_say_is_refused():
    with pytest.raises(TextError, match="too many"):
        planned_line(FakeTeacher(), FakeBank(), "yes " * MAX_CHARACTERS, person())


def test_lines_are_reproducible_and_kept(tmp_path):
    def draw(seed):
        lines = planned_lines(FakeTeacher(), FakeBank(), [person()], seed)
        return list(islice(lines, 20))

    lines = draw(1)
    save_lines(lines, tmp_path / "1.npz")
    for again in (draw(1), load_lines(tmp_path / "1.npz")):
        for one, other in zip(lines, again, strict=True):
            np.testing.assert_array_equal(one.symbols, other.symbols)
            np.testing.assert_allclose(one.durations, other.durations, rtol=1e-3)
            np.testing.assert_allclose(one.speaker, other.speaker, rtol=1e-3)
    others = draw(2)
    assert any(len(a.symbols) != len(b.symbols) for a, b in zip(lines, others, strict=True))


def test_a_file_of_something_else_is_one_sentence(tmp_path):
    (tmp_path / "1.npz").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="holds no planned lines"):
        load_lines(tmp_path / "1.npz")
