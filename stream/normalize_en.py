"""English as it is written → as it is spoken: numbers, money, dates, abbreviations, acronyms.

Every written word keeps its own spoken words, so captions stay true. Knows nothing about phonemes:
a spoken word is lower-case letters, or a single capital that is to be named as a letter.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from selftalk.stream import numbers_en as numbers

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_CURRENCIES = {
    "$": ("dollar", "cent"),
    "£": ("pound", "penny"),
    "€": ("euro", "cent"),
    "¥": ("yen", ""),
    "₩": ("won", ""),
    "₹": ("rupee", "paisa"),
}
_UNCHANGED_PLURALS = {"yen", "won", "hertz", "kilohertz", "megahertz", "gigahertz", "celsius"}
_PLURALS = {"penny": "pence", "foot": "feet", "inch": "inches"}
_SCALES = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "bn": "billion",
    "b": "billion",
    "B": "billion",
    "tn": "trillion",
    "T": "trillion",
}
_SCALE_WORDS = {"hundred", "thousand", "million", "billion", "trillion"}
_UNITS = {
    "km": "kilometer",
    "cm": "centimeter",
    "mm": "millimeter",
    "m": "meter",
    "mi": "mile",
    "ft": "foot",
    "kg": "kilogram",
    "g": "gram",
    "mg": "milligram",
    "lb": "pound",
    "lbs": "pound",
    "oz": "ounce",
    "l": "liter",
    "L": "liter",
    "ml": "milliliter",
    "mL": "milliliter",
    "s": "second",
    "sec": "second",
    "ms": "millisecond",
    "min": "minute",
    "mins": "minute",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "KB": "kilobyte",
    "kB": "kilobyte",
    "MB": "megabyte",
    "GB": "gigabyte",
    "TB": "terabyte",
    "GiB": "gibibyte",
    "MiB": "mebibyte",
    "W": "watt",
    "kW": "kilowatt",
    "V": "volt",
    "°": "degree",
}
_COMPOUND_UNITS = {
    "kWh": ("kilowatt", "hour"),
    "dB": ("decibel",),
    "°C": ("degree", "celsius"),
    "°F": ("degree", "fahrenheit"),
    "℃": ("degree", "celsius"),
    "km/h": ("kilometer", "per", "hour"),
    "kmh": ("kilometer", "per", "hour"),
    "km²": ("square", "kilometer"),
    "m²": ("square", "meter"),
    "m/s": ("meter", "per", "second"),
    "mph": ("mile", "per", "hour"),
    "kbps": ("kilobit", "per", "second"),
    "Mbps": ("megabit", "per", "second"),
    "Gbps": ("gigabit", "per", "second"),
    "fps": ("frame", "per", "second"),
    "rpm": ("revolution", "per", "minute"),
}
_MONTHS = (
    "january february march april may june july august september october november december"
).split()
_ABBREVIATIONS = {
    "mr.": "mister",
    "mr": "mister",
    "mrs.": "missus",
    "mrs": "missus",
    "ms.": "miz",
    "ms": "miz",
    "dr.": "doctor",
    "dr": "doctor",
    "prof.": "professor",
    "rev.": "reverend",
    "hon.": "honorable",
    "gen.": "general",
    "col.": "colonel",
    "capt.": "captain",
    "lt.": "lieutenant",
    "sgt.": "sergeant",
    "gov.": "governor",
    "sen.": "senator",
    "rep.": "representative",
    "pres.": "president",
    "jr.": "junior",
    "sr.": "senior",
    "st.": "saint",
    "ave.": "avenue",
    "blvd.": "boulevard",
    "rd.": "road",
    "mt.": "mount",
    "ft.": "fort",
    "no.": "number",
    "nos.": "numbers",
    "vol.": "volume",
    "ch.": "chapter",
    "fig.": "figure",
    "figs.": "figures",
    "eq.": "equation",
    "sec.": "section",
    "p.": "page",
    "pp.": "pages",
    "vs.": "versus",
    "vs": "versus",
    "etc.": "et cetera",
    "etc": "et cetera",
    "e.g.": "for example",
    "i.e.": "that is",
    "a.k.a.": "also known as",
    "approx.": "approximately",
    "dept.": "department",
    "inc.": "incorporated",
    "ltd.": "limited",
    "corp.": "corporation",
    "co.": "company",
    "est.": "established",
    "max.": "maximum",
    "min.": "minimum",
    "temp.": "temperature",
    "jan.": "january",
    "feb.": "february",
    "mar.": "march",
    "apr.": "april",
    "jun.": "june",
    "jul.": "july",
    "aug.": "august",
    "sep.": "september",
    "sept.": "september",
    "oct.": "october",
    "nov.": "november",
    "dec.": "december",
    "mon.": "monday",
    "tue.": "tuesday",
    "tues.": "tuesday",
    "wed.": "wednesday",
    "thu.": "thursday",
    "thurs.": "thursday",
    "fri.": "friday",
    "sat.": "saturday",
    "w/": "with",
    "w/o": "without",
}
# These are also plain words: only before a number, or (titles, saints) before a capital.
_ONLY_BEFORE_NUMBER = {"no.", "nos.", "fig.", "figs.", "vol.", "ch.", "sec.", "p.", "pp.", "eq."}
_ONLY_BEFORE_NUMBER |= {"mar.", "may.", "max.", "min."}
_ONLY_BEFORE_CAPITAL = {"gen.", "col.", "hon.", "rev.", "sen.", "rep.", "pres.", "mt.", "ft."}
_NOT_AT_END = {"no.", "co.", "sat.", "mon.", "sun.", "wed.", "fri.", "est.", "temp.", "dec."}
_SYMBOLS = {
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "%": "percent",
    "°": "degrees",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "≈": "approximately",
    "<": "less than",
    ">": "greater than",
    "≤": "at most",
    "≥": "at least",
    "→": "to",
    "#": "hash",
    "™": "",
    "®": "",
    "©": "copyright",
    "½": "one half",
    "¼": "one quarter",
    "¾": "three quarters",
}
_TOP_LEVEL = "com|org|net|io|ai|dev|edu|gov|uk|de|cn|jp|co|me|app|tv|info|eu|fr"
_PUNCTUATION = ",.?!…-"

_TOKEN = re.compile(
    rf"""
    (?P<address>https?://[^\s,]+[\w/]
        |[\w.+-]+@[\w-]+(?:\.[\w-]+)+
        |(?<![\w.])(?:[A-Za-z0-9-]+\.)+(?:{_TOP_LEVEL})\b(?:/[\w./-]*\w)?)
    |(?P<time>(?<![\d:])\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?![\d:]))
    |(?P<date>(?<!\d)(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}/\d{{1,2}}/\d{{4}})(?!\d))
    |(?P<phone>(?<!\w)(?:\+\d{{1,3}}[ -])?(?:\(\d{{3}}\)[ ]?|\d{{3}}-)\d{{3}}-\d{{4}}(?!\d)
        |(?<!\w)\d{{3}}-\d{{4}}(?!\d))
    |(?P<money>(?<![\w])[-−]?[$£€¥₩₹][ ]?(?:{_NUMBER})(?:(?:[kKmMbBT]|bn|tn)\b)?)
    |(?P<ordinal>(?<![\w.])\d[\d,]*(?:st|nd|rd|th)\b)
    |(?P<decade>(?<![\w.])(?:\d{{3}}0|['’]?\d0)['’]?s\b)
    |(?P<fraction>(?<![\w/.])\d{{1,2}}/\d{{1,3}}(?![\w/]))
    |(?P<range>(?<![\w.-])(?:{_NUMBER})[-–](?:{_NUMBER})(?:%|(?![\w-])))
    |(?P<version>(?<![\w.])v?\d+(?:\.\d+){{2,}}(?!\w))
    |(?P<number>(?<![\w.])[-−+]?(?:{_NUMBER})
        (?:%|(?:kWh|km/h|m/s|km²|m²|[kMG]bps|[KkMGT]?[iI]?B|[kMG]?Hz|°[CF]?|℃|[A-Za-z]{{1,4}})(?![A-Za-z0-9]))?
        (?![\w]))
    |(?P<dotted>(?<![A-Za-z])(?:[A-Za-z]\.){{2,}}|\b(?:[A-Za-z]+\.)(?=\s|$|[,;:!?)\]"”])|\bw/o?(?=\s))
    |(?P<word>[^\W_]+(?:['’][^\W_]+)*['’]?(?:[-‐‑/][^\W_]+(?:['’][^\W_]+)*)*)
    |(?P<mark>\.{{2,}}|[,.?!…—–-]+|[;:，。？！、；：])
    |(?P<symbol>[&+=@%°×÷±≈<>≤≥→\#©½¼¾])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of written text: a word of some kind, or a mark."""

    kind: str
    text: str
    gap: bool
    """Whether white space stands before it."""


class SpokenWord(NamedTuple):
    """A written word (empty: a punctuation mark) and what is said for it."""

    written: str
    words: tuple[str, ...]


def tokens(text: str) -> list[Token]:
    """Cut a text into words, numbers and marks; what nobody can say is left out."""
    found: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        gap = match.start() == 0 or text[match.start() - 1].isspace()
        found.append(Token(match.lastgroup, match.group(), gap))
        end = match.end()
    assert end <= len(text)
    return found


def normalize(text: str) -> list[SpokenWord]:
    """Read a text aloud, word by word."""
    written = tokens(text)
    shouted = _is_shouted(written)
    spoken: list[SpokenWord] = []
    for index, token in enumerate(written):
        before = written[index - 1] if index else None
        after = written[index + 1] if index + 1 < len(written) else None
        spoken += _READERS[token.kind](token.text, _Context(before, after, shouted))
    return spoken


class _Context(NamedTuple):
    before: Token | None
    after: Token | None
    shouted: bool
    """The whole text is in capitals, so capitals say nothing about acronyms."""

    @property
    def next_text(self) -> str:
        return self.after.text if self.after else ""

    @property
    def previous_text(self) -> str:
        return self.before.text if self.before else ""


def _is_shouted(written: Sequence[Token]) -> bool:
    words = [token.text for token in written if token.kind == "word"]
    return len(words) > 1 and len("".join(words)) > 5 and all(word.isupper() for word in words)


def _word(written: str, *spoken: str) -> list[SpokenWord]:
    return [SpokenWord(written, tuple(spoken))]


def _plural(word: str) -> str:
    if word in _UNCHANGED_PLURALS or word == "fahrenheit":
        return word
    return _PLURALS.get(word, word + "s")


def _unit_words(unit: str, *, single: bool) -> list[str]:
    words = list(_COMPOUND_UNITS.get(unit) or (_UNITS[unit],))
    if not single:
        counted = 1 if words[0] == "square" or unit == "kWh" else 0
        words[counted] = _plural(words[counted])
    return words


def _is_unit(text: str) -> bool:
    return text in _UNITS or text in _COMPOUND_UNITS


def _read_mark(text: str, context: _Context) -> list[SpokenWord]:
    mark = text.translate(str.maketrans("，。？！、；：;:—–", ",.?!,,,,,--"))
    if "..." in mark or "…" in mark or mark == "..":
        return [SpokenWord("", ("…",))]
    kept = next((char for char in "?!." if char in mark), mark[0])
    if kept == "-" and not (text.strip("-") or len(text) > 1 or context.after is None):
        spaced = context.after.gap
        return [SpokenWord("", ("-",))] if spaced else []
    return [SpokenWord("", (kept,))]


def _read_symbol(text: str, context: _Context) -> list[SpokenWord]:
    if text == "#" and context.after and context.after.kind == "number":
        return _word(text, "number")
    return _word(text, *_SYMBOLS[text].split())


def _read_money(text: str, context: _Context) -> list[SpokenWord]:
    match = re.fullmatch(rf"([-−]?)(\D)[ ]?({_NUMBER})([A-Za-z]*)", text)
    assert match is not None, text
    sign, symbol, amount, scale = match.groups()
    main, small = _CURRENCIES[symbol]
    minus = ["minus"] if sign else []
    if context.next_text.lower() in _SCALE_WORDS:  # «$3 million»: that word says the currency
        return _word(text, *minus, *numbers.decimal(amount))
    if scale:
        return _word(text, *minus, *numbers.decimal(amount), _SCALES[scale], _plural(main))
    return _word(text, *minus, *_money_words(amount, main, small))


def _money_words(amount: str, main: str, small: str) -> list[str]:
    whole, _, fraction = amount.replace(",", "").partition(".")
    count = int(whole or "0")
    if len(fraction) != 2 or not small:
        one = count == 1 and not fraction
        return [*numbers.decimal(amount), main if one else _plural(main)]
    cents = int(fraction)
    words: list[str] = []
    if count or not cents:
        words += [*numbers.cardinal(count), main if count == 1 else _plural(main)]
    if cents:
        joint = ["and"] if words else []
        words += [*joint, *numbers.cardinal(cents), small if cents == 1 else _plural(small)]
    return words


def _read_time(text: str, context: _Context) -> list[SpokenWord]:
    hour, minute, *second = (int(part) for part in text.split(":"))
    if hour > 24 or minute > 59 or second:
        names = ("hour", "minute", "second") if second else ("minute", "second")
        words: list[str] = []
        for count, name in zip((hour, minute, *second), names, strict=True):
            words += [*numbers.cardinal(count), name if count == 1 else name + "s"]
        return _word(text, *words)
    half_day = re.fullmatch(r"[ap]\.?m\.?", context.next_text.lower()) is not None
    if minute == 0:
        whole = ["hundred"] if hour > 12 else [] if half_day else ["o'clock"]
        return _word(text, *numbers.cardinal(hour), *whole)
    past = ["oh", *numbers.cardinal(minute)] if minute < 10 else numbers.cardinal(minute)
    return _word(text, *numbers.cardinal(hour), *past)


def _read_date(text: str, context: _Context) -> list[SpokenWord]:
    if "-" in text:
        year, month, day = (int(part) for part in text.split("-"))
    else:
        month, day, year = (int(part) for part in text.split("/"))
        if month > 12:
            month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return _word(text, *numbers.digits(text))
    return _word(text, _MONTHS[month - 1], *numbers.ordinal(day), *numbers.year(year))


def _read_phone(text: str, context: _Context) -> list[SpokenWord]:
    plus = ["plus"] if text.startswith("+") else []
    return _word(text, *plus, *("oh" if word == "zero" else word for word in numbers.digits(text)))


def _read_ordinal(text: str, context: _Context) -> list[SpokenWord]:
    return _word(text, *numbers.ordinal(int(re.sub(r"\D", "", text))))


def _read_decade(text: str, context: _Context) -> list[SpokenWord]:
    number = int(re.sub(r"\D", "", text))
    if text.startswith("000") or number == 0:
        return _word(text, *numbers.digits(text), "s")
    *head, last = numbers.year(number) if number > 99 else numbers.cardinal(number)
    return _word(text, *head, numbers.plural(last))


def _read_fraction(text: str, context: _Context) -> list[SpokenWord]:
    top, bottom = (int(part) for part in text.split("/"))
    if (top, bottom) in ((24, 7), (9, 11)) or bottom < 2 or top > 31:
        return _word(text, *numbers.cardinal(top), *numbers.cardinal(bottom))
    if bottom == 2:
        name = "half" if top == 1 else "halves"
    elif bottom == 4:
        name = "quarter" if top == 1 else "quarters"
    else:
        *head, last = numbers.ordinal(bottom)
        return _word(text, *numbers.cardinal(top), *head, last if top == 1 else last + "s")
    return _word(text, *numbers.cardinal(top), name)


def _read_range(text: str, context: _Context) -> list[SpokenWord]:
    percent = ["percent"] if text.endswith("%") else []
    low, high = re.split("[-–]", text.rstrip("%"))
    years = all(re.fullmatch(r"1[1-9]\d\d|20\d\d", part) for part in (low, high))
    read: Callable[[str], list[str]] = _bare_number if years else numbers.decimal
    return _word(text, *read(low), "to", *read(high), *percent)


def _read_version(text: str, context: _Context) -> list[SpokenWord]:
    words = ["version"] if text.startswith("v") else []
    for index, part in enumerate(text.lstrip("v").split(".")):
        words += [*(["point"] if index else []), *numbers.cardinal(int(part))]
    return _word(text, *words)


def _bare_number(text: str) -> list[str]:
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", text):
        return numbers.year(int(text))
    if re.fullmatch(r"0\d+", text):
        return numbers.digits(text)
    return numbers.decimal(text)


def _read_number(text: str, context: _Context) -> list[SpokenWord]:
    match = re.fullmatch(rf"([-−+]?(?:{_NUMBER}))(\D*)", text)
    assert match is not None, text
    amount, unit = match.groups()
    if unit == "%":
        return _word(text, *numbers.decimal(amount), "percent")
    if _is_unit(unit):
        words = _unit_words(unit, single=amount in ("1", "-1"))
        return _word(text, *numbers.decimal(amount), *words)
    if unit.lower() in ("am", "pm"):
        return _word(text, *numbers.decimal(amount), *unit.upper())
    if unit:
        return _word(text, *numbers.decimal(amount), *_plain_words(unit.upper(), context))
    if _is_unit(context.next_text) and context.after and context.after.kind == "word":
        return _word(text, *numbers.decimal(amount))
    month = context.previous_text.lower().rstrip(".")
    after_month = any(month and name.startswith(month) and len(month) >= 3 for name in _MONTHS)
    if after_month and amount.isdigit() and 1 <= int(amount) <= 31:
        return _word(text, *numbers.ordinal(int(amount)))
    signed = ["plus"] if amount.startswith("+") else []
    return _word(text, *signed, *_bare_number(amount.lstrip("+")))


def _read_dotted(text: str, context: _Context) -> list[SpokenWord]:
    lower = text.lower()
    after = context.after
    sentence_ends = after is None or (after.kind != "mark" and after.text[:1].isupper())
    full_stop = [SpokenWord("", (".",))] if after is None else []
    known = _ABBREVIATIONS.get(lower)
    if lower == "st." and context.before and not (after and after.text[:1].isupper()):
        known = "street"
    if known and lower in _ONLY_BEFORE_NUMBER and not (after and after.kind in ("number", "range")):
        known = None
    if known and lower in _ONLY_BEFORE_CAPITAL and not (after and after.text[:1].isupper()):
        known = None
    if known and lower in _NOT_AT_END and (after is None or lower != text and sentence_ends):
        known = _ABBREVIATIONS[lower] if after and after.kind == "number" else None
    if known:
        return [*_word(text, *known.split()), *full_stop]
    if re.fullmatch(r"(?:[A-Za-z]\.){2,}", text):
        stop = [SpokenWord("", (".",))] if sentence_ends and lower in ("a.m.", "p.m.") else full_stop
        return [*_word(text, *text.upper().replace(".", "")), *stop]
    if re.fullmatch(r"[A-Z]\.", text) and after and after.text[:1].isupper():  # an initial
        return _word(text, text[0])
    return [*_read_word(text[:-1], context), SpokenWord("", (".",))]


def _read_address(text: str, context: _Context) -> list[SpokenWord]:
    spoken: list[str] = []
    names = {".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", ":": "colon"}
    for part in re.findall(r"[A-Za-z]+|\d+|[.@/_:-]", re.sub(r"^https?://", "", text)):
        if part in names:
            spoken.append(names[part])
        elif part.isdigit():
            spoken += numbers.digits(part) if len(part) > 4 else numbers.cardinal(int(part))
        elif part.lower() in ("www", "http", "https", "html", "io", "ai", "uk", "cn", "jp", "tv"):
            spoken += part.upper()
        else:
            spoken.append(part.lower())
    return _word(text, *spoken)


def _read_word(text: str, context: _Context) -> list[SpokenWord]:
    lower = text.lower().replace("’", "'")
    previous = context.before
    counted = previous is not None and previous.kind in ("number", "money", "range")
    if counted and previous and _is_unit(text):
        return _word(text, *_unit_words(text, single=previous.text in ("1", "-1")))
    if previous and previous.kind == "money" and lower in _SCALE_WORDS:
        symbol = previous.text.lstrip("-−")[0]
        return _word(text, lower, _plural(_CURRENCIES[symbol][0]))
    if previous and previous.kind in ("time", "number") and lower in ("am", "pm"):
        return _word(text, *lower.upper())
    if lower in _ABBREVIATIONS and text != text.upper():
        return _word(text, *_ABBREVIATIONS[lower].split())
    if text == "A" and (previous is None or previous.kind == "mark" or context.shouted):
        return _word(text, "a")  # the article; elsewhere a capital A is the letter
    numeral = _roman_words(text, context)
    if numeral:
        return _word(text, *numeral)
    return _word(text, *_plain_words(lower if context.shouted else text.replace("’", "'"), context))


def _plain_words(text: str, context: _Context) -> list[str]:
    """Letters as words or as letter names, digits as numbers: ``GPT-4o`` → G P T four O."""
    parts = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*'?|\d+", text)
    if len(parts) == 1:
        return [text] if not parts[0].isdigit() else _bare_number(parts[0])
    words: list[str] = []
    for part in parts:
        if part.isdigit():
            words += numbers.digits(part) if len(part) > 4 else _bare_number(part)
        else:
            words.append(part)
    return words


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}
_BEFORE_ROMAN = {"chapter", "part", "act", "scene", "war", "volume", "book", "section", "type"}
_BEFORE_ROMAN |= {"phase", "level", "class", "title", "article", "appendix", "episode", "stage"}
_RULERS = {"henry", "louis", "charles", "george", "william", "edward", "elizabeth", "richard"}
_RULERS |= {"james", "philip", "pius", "paul", "francis", "alexander", "napoleon", "catherine"}
_RULERS |= {"nicholas", "frederick", "leo", "benedict", "gregory", "john", "xvi", "ivan"}


def _roman_words(text: str, context: _Context) -> list[str]:
    if not re.fullmatch(r"(?=[IVXL])X{0,3}L?(?:IX|IV|V?I{0,3})", text):
        return []
    values = [_ROMAN[char] for char in text]
    number = sum(
        -value if value < max(values[index:]) else value for index, value in enumerate(values)
    )
    previous = context.previous_text.lower()
    if previous in _BEFORE_ROMAN:
        return numbers.cardinal(number)
    if previous in _RULERS and text != "I":
        return ["the", *numbers.ordinal(number)]
    return []


_READERS: dict[str, Callable[[str, _Context], list[SpokenWord]]] = {
    "address": _read_address,
    "time": _read_time,
    "date": _read_date,
    "phone": _read_phone,
    "money": _read_money,
    "ordinal": _read_ordinal,
    "decade": _read_decade,
    "fraction": _read_fraction,
    "range": _read_range,
    "version": _read_version,
    "number": _read_number,
    "dotted": _read_dotted,
    "word": _read_word,
    "mark": _read_mark,
    "symbol": _read_symbol,
}
