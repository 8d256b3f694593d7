"""Written quantities → English words: money, times, dates, measures, ranges, versions.

Knows nothing about words that are not beside a number.
"""

import re
from collections.abc import Callable

from selftalk.stream.text import numbers_en as numbers
from selftalk.stream.text import written_en as written
from selftalk.stream.text.tokens_en import CURRENCY, NUMBER, Context

_YEAR = re.compile(r"1[1-9][0-9]{2}|20[0-9]{2}")
_BEFORE_YEAR = frozenset("year in since until till by circa from".split())
_SPELLED_SCALES = {"k": "thousand", "K": "thousand", "M": "million", "bn": "billion"}
_RESOLUTIONS = ("4K", "8K", "2K", "5K")


def plural(word: str) -> str:
    """The plural of a unit or currency."""
    return written.PLURALS.get(word, word + "s")


def is_unit(text: str) -> bool:
    """Whether a word abbreviates a unit."""
    return text in written.UNITS or text in written.COMPOUND_UNITS


def unit_words(unit: str, *, single: bool) -> list[str]:
    """``km/h`` → kilometers per hour."""
    words = list(written.COMPOUND_UNITS.get(unit) or (written.UNITS[unit],))
    if not single:
        counted = 1 if words[0] == "square" or unit == "kWh" else 0
        words[counted] = plural(words[counted])
    return words


def bare(text: str) -> list[str]:
    """A number that nothing explains: a year, digits, or a count."""
    if _YEAR.fullmatch(text):
        return numbers.year(int(text))
    if re.fullmatch(r"0[0-9]+", text):
        return numbers.digits(text)
    return numbers.decimal(text)


def money(text: str, context: Context) -> list[str]:
    """``$3.50`` → three dollars and fifty cents."""
    match = re.fullmatch(rf"([-−]?)({CURRENCY})[ ]?({NUMBER})([A-Za-z]*)", text)
    assert match is not None, text
    sign, symbol, amount, scale = match.groups()
    main, small = written.CURRENCIES[symbol]
    minus = ["minus"] if sign else []
    if context.next_text.lower() in written.SCALE_WORDS:
        return [*minus, *numbers.decimal(amount)]  # «$3 million»: that word says the currency
    if scale:
        return [*minus, *numbers.decimal(amount), written.SCALES[scale], plural(main)]
    return [*minus, *_amount(amount, main, small)]


def money_after(text: str, context: Context) -> list[str]:
    """``5€`` → five euros."""
    main, small = written.CURRENCIES[text[-1]]
    return _amount(text[:-1].strip(), main, small)


def _amount(amount: str, main: str, small: str) -> list[str]:
    whole, _, fraction = amount.replace(",", "").partition(".")
    count = int(whole or "0")
    if len(fraction) != 2 or not small:
        one = count == 1 and not fraction
        return [*numbers.decimal(amount), main if one else plural(main)]
    cents = int(fraction)
    words: list[str] = []
    if count or not cents:
        words += [*numbers.cardinal(count), main if count == 1 else plural(main)]
    if cents:
        joint = ["and"] if words else []
        words += [*joint, *numbers.cardinal(cents), small if cents == 1 else plural(small)]
    return words


def time(text: str, context: Context) -> list[str]:
    """``10:05`` → ten oh five; ``9:00`` → nine o'clock."""
    hour, minute, *second = (int(part) for part in text.split(":"))
    if hour > 24 or minute > 59 or second:
        names = ("hour", "minute", "second") if second else ("minute", "second")
        words: list[str] = []
        for count, name in zip((hour, minute, *second), names, strict=True):
            words += [*numbers.cardinal(count), name if count == 1 else name + "s"]
        return words
    half_day = re.fullmatch(r"[ap]\.?m\.?", context.next_text.lower()) is not None
    if minute == 0:
        whole = ["hundred"] if hour > 12 else [] if half_day else ["o'clock"]
        return [*numbers.cardinal(hour), *whole]
    past = ["oh", *numbers.cardinal(minute)] if minute < 10 else numbers.cardinal(minute)
    return [*numbers.cardinal(hour), *past]


def date(text: str, context: Context) -> list[str]:
    """``2024-05-17`` and ``5/17/2024`` → May seventeenth, twenty twenty four."""
    if "-" in text:
        year, month, day = (int(part) for part in text.split("-"))
    else:
        month, day, year = (int(part) for part in text.split("/"))
        if month > 12:
            month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return numbers.digits(text)
    return [written.MONTHS[month - 1], *numbers.ordinal(day), *numbers.year(year)]


def phone(text: str, context: Context) -> list[str]:
    """Digit by digit, zero as «oh»."""
    plus = ["plus"] if text.startswith("+") else []
    return [*plus, *("oh" if word == "zero" else word for word in numbers.digits(text))]


def height(text: str, context: Context) -> list[str]:
    """``6'2"`` → six foot two."""
    feet, inches = re.findall("[0-9]+", text)
    return [*numbers.cardinal(int(feet)), "foot", *numbers.cardinal(int(inches))]


def ordinal(text: str, context: Context) -> list[str]:
    """``22nd`` → twenty second."""
    return numbers.ordinal(int(re.sub(r"\D", "", text)))


def decade(text: str, context: Context) -> list[str]:
    """``1990s`` → nineteen nineties."""
    number = int(re.sub(r"\D", "", text))
    if number < 10:
        return [*numbers.digits(text), "s"]
    *head, last = numbers.year(number) if number > 99 else numbers.cardinal(number)
    return [*head, numbers.plural(last)]


def fraction(text: str, context: Context) -> list[str]:
    """``3/4`` → three quarters; ``24/7`` → twenty four seven."""
    top, bottom = (int(part) for part in text.split("/"))
    count = numbers.cardinal(top)
    if (top, bottom) in ((24, 7), (9, 11)) or bottom < 2 or top > 31:
        return [*count, *numbers.cardinal(bottom)]
    if bottom == 2:
        name = ["half" if top == 1 else "halves"]
    elif bottom == 4:
        name = ["quarter" if top == 1 else "quarters"]
    else:
        *head, last = numbers.ordinal(bottom)
        name = [*head, last if top == 1 else last + "s"]
    joint = ["and", "a"] if context.before_kind("number") else []
    return [*joint, *(count if top != 1 or not joint else []), *name]


def between(text: str, context: Context) -> list[str]:
    """``10-20%`` → ten to twenty percent."""
    percent = ["percent"] if text.endswith("%") else []
    low, high = re.split("[-–]", text.rstrip("%"))
    years = all(_YEAR.fullmatch(part) for part in (low, high))
    read: Callable[[str], list[str]] = bare if years else numbers.decimal
    return [*read(low), "to", *read(high), *percent]


def version(text: str, context: Context) -> list[str]:
    """``v2.0.1`` → version two point zero point one."""
    words = ["version"] if text.startswith("v") else []
    for index, part in enumerate(text.lstrip("v").split(".")):
        words += [*(["point"] if index else []), *numbers.cardinal(int(part))]
    return words


def model(text: str, context: Context) -> list[str]:
    """``GPT-3.5`` → GPT three point five."""
    name = re.split("[-0-9]", text)[0]
    figure = text[len(name) :].lstrip("-")
    return ["version" if name == "v" else name, *numbers.decimal(figure)]


def digits(text: str, context: Context) -> list[str]:
    """A number too long to be counted."""
    return numbers.digits(text)


def number(text: str, context: Context) -> list[str]:
    """A number with its sign and what is written onto it: ``10kg``, ``-5°C``, ``50%``, ``4K``."""
    match = re.fullmatch(rf"([-−+]?{NUMBER})(\D*)", text)
    assert match is not None, text
    amount, unit = match.groups()
    if unit == "%":
        return [*numbers.decimal(amount), "percent"]
    if is_unit(unit):
        return [*numbers.decimal(amount), *unit_words(unit, single=amount in ("1", "-1"))]
    if unit in _SPELLED_SCALES and text not in _RESOLUTIONS:
        return [*numbers.decimal(amount), _SPELLED_SCALES[unit]]
    if unit:
        return [*numbers.decimal(amount), *unit.upper()]
    return _plain_number(amount, context)


def _plain_number(amount: str, context: Context) -> list[str]:
    previous = context.previous_text.lower().rstrip(".")
    if context.after_kind("word") and is_unit(context.next_text):
        return numbers.decimal(amount)
    after_month = len(previous) >= 3 and any(name.startswith(previous) for name in written.MONTHS)
    if after_month and amount.isdigit() and 1 <= int(amount) <= 31:
        return numbers.ordinal(int(amount))
    if re.fullmatch("10[1-9][0-9]", amount) and previous in _BEFORE_YEAR:
        return [*numbers.cardinal(10), *numbers.cardinal(int(amount[2:]))]
    signed = ["plus"] if amount.startswith("+") else []
    return [*signed, *bare(amount.lstrip("+"))]


READERS: dict[str, Callable[[str, Context], list[str]]] = {
    "time": time,
    "date": date,
    "phone": phone,
    "height": height,
    "money": money,
    "money_after": money_after,
    "ordinal": ordinal,
    "decade": decade,
    "fraction": fraction,
    "range": between,
    "version": version,
    "model": model,
    "digits": digits,
    "number": number,
}
