"""Templates: lines with {slots} become many lines with numbers, times, names and the like.

An agent says «it is twenty past four» and «that makes 12.50» more often than any book does.
Knows nothing about where the templates come from.
"""

import calendar
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from selftalk.stream.errors import ConfigError

Random = np.random.Generator


def expand(
    templates: Sequence[str], slots: Mapping[str, Sequence[str]], language: str, count: int
) -> list[str]:
    """Fill the templates in turn until there are `count` different lines.

    Args:
        templates: lines such as "The train leaves at {time}."
        slots: what may stand in a slot, for those that are not numbers.
        language: decides how {number}, {time}, {money} … are written.
        count: how many lines are wanted; fewer come if the templates cannot give more.

    Raises:
        ConfigError: a template has a slot that nothing fills.
    """
    lines: dict[str, None] = {}
    fillers = _fillers(slots, language)
    random = np.random.default_rng(len(templates))
    for draw in range(4 * count):
        if len(lines) == count:
            break
        lines[_fill(templates[draw % len(templates)], fillers, random)] = None
    return list(lines)


def _fill(template: str, fillers: Mapping[str, Callable[[Random], str]], random: Random) -> str:
    pieces = template.split("{")
    filled = pieces[0]
    for piece in pieces[1:]:
        slot, _, rest = piece.partition("}")
        if slot not in fillers:
            raise ConfigError(f"unknown slot '{slot}' in '{template}'; known: {sorted(fillers)}")
        filled += fillers[slot](random) + rest
    return filled[:1].upper() + filled[1:]


def _fillers(
    slots: Mapping[str, Sequence[str]], language: str
) -> dict[str, Callable[[Random], str]]:
    def chooser(choices: Sequence[str]) -> Callable[[Random], str]:
        return lambda random: choices[int(random.integers(len(choices)))]

    numbers = _CHINESE if language == "zh" else _ENGLISH
    return {**numbers, **{slot: chooser(choices) for slot, choices in slots.items()}}


def _integer(random: Random) -> int:
    """Small numbers are common, large ones rare."""
    return int(10 ** random.uniform(0.3, (1.5, 2.5, 3.7)[int(random.integers(3))]))


def _clock(random: Random) -> tuple[int, int]:
    minute = 5 * int(random.integers(12)) if random.random() < 0.8 else int(random.integers(60))
    return int(random.integers(1, 13)), minute


def _decimal(random: Random) -> str:
    return f"{random.integers(0, 100)}.{random.integers(1, 10)}"


def _digits(random: Random) -> str:
    return "".join(str(digit) for digit in random.integers(0, 10, int(random.integers(3, 6))))


def _english_money(random: Random) -> str:
    cents = f".{random.integers(10, 100)}" if random.random() < 0.3 else ""
    return f"${random.integers(2, 400)}{cents}"


def _english_date(random: Random) -> str:
    return f"{calendar.month_name[int(random.integers(1, 13))]} {random.integers(1, 29)}"


_ENGLISH: dict[str, Callable[[Random], str]] = {
    "number": lambda random: str(_integer(random)),
    "small": lambda random: str(random.integers(2, 21)),
    "decimal": _decimal,
    "percent": lambda random: f"{random.integers(1, 101)}%",
    "time": lambda random: "{}:{:02d}".format(*_clock(random)),
    "money": _english_money,
    "date": _english_date,
    "year": lambda random: str(random.integers(1900, 2030)),
    "digits": _digits,
}


def _chinese_time(random: Random) -> str:
    hour, minute = _clock(random)
    return f"{hour}点" + (f"{minute}分" if minute else "")


_CHINESE: dict[str, Callable[[Random], str]] = {
    "number": lambda random: str(_integer(random)),
    "small": lambda random: str(random.integers(2, 21)),
    "decimal": _decimal,
    "percent": lambda random: f"{random.integers(1, 101)}%",
    "time": _chinese_time,
    "money": lambda random: f"{random.integers(2, 900)}元",
    "date": lambda random: f"{random.integers(1, 13)}月{random.integers(1, 29)}日",
    "year": lambda random: f"{random.integers(1950, 2030)}年",
    "digits": _digits,
}
