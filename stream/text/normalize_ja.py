"""Japanese as it is written → as Open JTalk can read it: times, dates, money, signs.

Open JTalk reads plain numbers and counters itself. Every written piece keeps its own spoken text.
Knows nothing about phonemes.
"""

import re
from collections.abc import Callable

from selftalk.stream.text.phonemes import Written

_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,16})(?:\.\d{1,16})?(?!\d)"
_CURRENCIES = {"¥": "円", "￥": "円", "$": "ドル", "€": "ユーロ", "£": "ポンド", "₩": "ウォン"}
_DIGIT_NAMES = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_SYMBOLS = {
    "&": "アンド",
    "+": "プラス",
    "=": "イコール",
    "×": "かける",
    "÷": "わる",
    "%": "パーセント",
    "‰": "パーミル",
    "°C": "度",
    "°F": "度",
    "°": "度",
    "@": "アット",
    "〆": "しめ",
    "〇": "まる",
}
_SPEAKABLE = "ぁ-ゖァ-ヺー々㐀-䶿一-鿿豈-﫿A-Za-z𠀀-𮯿"
_MARK_CHARS = "、。，．？！：；,.?!:;…〜～—–―"
_MARKS = str.maketrans("、。，．？！：；:;〜～—–―", ",.,.?!,,,,…----")

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("date", r"(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)"),
    ("time", r"(?<![\d:])\d{1,2}:\d{2}(?![\d:])"),
    ("phone", r"(?<!\d)0\d{1,4}-\d{1,4}-\d{3,4}(?!\d)"),
    ("money", rf"[¥￥$€£₩]\s?{_NUMBER}[万億]?"),
    ("fraction", r"(?<![\d/.])\d{1,3}/\d{1,3}(?![\d/])"),
    ("range", rf"(?<=\d)[-〜～–—](?={_NUMBER})"),
    ("negative", rf"(?<![A-Za-z0-9])[-−]{_NUMBER}"),
    ("digits", r"\d{17,200}"),
    ("number", _NUMBER),
    ("mark", rf"[{_MARK_CHARS}]+|\.{{2,}}|-(?=\s)"),
    ("symbol", "|".join(map(re.escape, _SYMBOLS))),
    ("character", rf"[{_SPEAKABLE}]"),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))


def normalize(text: str) -> list[Written]:
    """Cut a text into pieces; what cannot be said is left out."""
    pieces: list[Written] = []
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        pieces.append(_READERS[match.lastgroup](match.group()))
    return pieces


def _read_date(text: str) -> Written:
    year, month, day = (int(part) for part in re.findall(r"\d+", text))
    return Written(text, f"{year}年{month}月{day}日")


def _read_time(text: str) -> Written:
    hour, minute = (int(part) for part in text.split(":"))
    return Written(text, f"{hour}時{minute}分" if minute else f"{hour}時")


def _read_phone(text: str) -> Written:
    groups = text.split("-")
    return Written(text, " ".join("".join(_DIGIT_NAMES[int(d)] for d in group) for group in groups))


def _read_digits(text: str) -> Written:
    return Written(text, "".join(_DIGIT_NAMES[int(digit)] for digit in text))


def _read_money(text: str) -> Written:
    return Written(text, text[1:].strip() + _CURRENCIES[text[0]])


def _read_fraction(text: str) -> Written:
    top, bottom = text.split("/")
    return Written(text, f"{bottom}分の{top}")


def _read_range(text: str) -> Written:
    return Written(text, "から")


def _read_negative(text: str) -> Written:
    return Written(text, "マイナス" + text[1:])


def _read_mark(text: str) -> Written:
    if "…" in text or ".." in text or "。。" in text:
        return Written("", "…")
    kept = next((char for char in "？?！!。." if char in text), text[0])
    return Written("", kept.translate(_MARKS))


def _read_symbol(text: str) -> Written:
    return Written(text, _SYMBOLS[text])


def _read_plain(text: str) -> Written:
    return Written(text, text)


_READERS: dict[str, Callable[[str], Written]] = {
    "date": _read_date,
    "time": _read_time,
    "phone": _read_phone,
    "money": _read_money,
    "fraction": _read_fraction,
    "range": _read_range,
    "negative": _read_negative,
    "digits": _read_digits,
    "number": _read_plain,
    "mark": _read_mark,
    "symbol": _read_symbol,
    "character": _read_plain,
}
