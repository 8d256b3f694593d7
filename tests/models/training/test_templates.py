import re

import pytest

from selftalk.models.training.templates import expand
from selftalk.stream.errors import ConfigError


def test_slots_are_filled_from_their_lists():
    lines = expand(["the {colour} {animal}."], {"colour": ["red"], "animal": ["cat"]}, "en", 1)
    assert lines == ["The red cat."]


def test_lines_are_different_and_reproducible():
    arguments = (["{number} and {time}.", "{name} has {small}."], {"name": ["Ann"]}, "en", 60)
    lines = expand(*arguments)
    assert len(lines) == len(set(lines)) == 60
    assert lines == expand(*arguments)


def test_exhausted_templates_give_fewer_lines():
    assert expand(["yes", "no"], {}, "en", 50) == ["Yes", "No"]


def test_an_unknown_slot_is_named():
    with pytest.raises(ConfigError, match="unknown slot 'colur'"):
        expand(["the {colur} cat"], {"colour": ["red"]}, "en", 1)


@pytest.mark.parametrize(
    ("language", "slot", "pattern"),
    [
        ("en", "time", r"\d{1,2}:\d\d"),
        ("en", "money", r"\$\d+(\.\d\d)?"),
        ("en", "date", r"[A-Z][a-z]+ \d{1,2}"),
        ("en", "percent", r"\d+%"),
        ("zh", "time", r"\d+点(\d+分)?"),
        ("zh", "money", r"\d+元"),
        ("zh", "date", r"\d+月\d+日"),
        ("zh", "decimal", r"\d+\.\d"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(language, slot, pattern):
    lines = expand([f"{{{slot}}}"], {}, language, 20)
    assert len(lines) > 5
    assert all(re.fullmatch(pattern, line) for line in lines), lines


def test_numbers_are_of_all_sizes_but_mostly_small():
    numbers = [int(line) for line in expand(["{number}"], {}, "en", 200)]
    assert sum(number < 100 for number in numbers) > 60
    assert sum(number > 1000 for number in numbers) > 10
