"""Korean as it is written → as it is spoken, in Hangul: numbers, dates, times, money, units.

Every written word keeps its own spoken Hangul. Knows nothing about sound changes.
"""

import re
from collections.abc import Callable

from selftalk.stream.text.phonemes import Written

_DIGITS = "영일이삼사오육칠팔구"
_NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_LARGE_UNITS = ("", "만", "억", "조", "경")
# Counted with native numerals: 세 개; all else (년, 월, 일, 분, 원, 층) takes Sino-Korean.
_NATIVE_COUNTERS = (
    "시간|시|개(?!월|년|국|조|소)|명|사람|살|마리|번째|번(?= ?(?:정도|쯤|이나|씩|더|만에))"
    "|권|잔|병|장|대|채|벌|켤레|송이|그루|자루|가지|군데|달|배|쌍|통|곳|판|모금|조각|스푼|줄|마디|골|알"
)
_COUNTED = (  # hours up to twelve, and up to 99 of anything else
    rf"(?<![\d.~～-])(?:\d{{1,2}}(?= ?(?:{_NATIVE_COUNTERS}))(?! ?시(?!간)|[-~～])"
    r"|(?:[1-9]|1[0-2])(?= ?시(?!간)))"
)
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_CURRENCIES = {"₩": "원", "￦": "원", "$": "달러", "¥": "엔", "€": "유로", "£": "파운드"}
_UNITS = {
    "km/h": "킬로미터",
    "km": "킬로미터",
    "cm": "센티미터",
    "mm": "밀리미터",
    "kg": "킬로그램",
    "mg": "밀리그램",
    "ml": "밀리리터",
    "mL": "밀리리터",
    "GB": "기가바이트",
    "MB": "메가바이트",
    "TB": "테라바이트",
    "Hz": "헤르츠",
    "°C": "도",
    "°": "도",
    "%": "퍼센트",
    "m": "미터",
    "g": "그램",
    "L": "리터",
}
_UNIT = "|".join(re.escape(unit) for unit in _UNITS)
_SYMBOLS = {
    "&": "앤드",
    "+": "더하기",
    "=": "는",
    "×": "곱하기",
    "÷": "나누기",
    "%": "퍼센트",
    "@": "골뱅이",
}
_MARK_CHARS = "，。？！、；：,.?!;:…~～—–·"
_MARKS = str.maketrans("，。？！、；：;:~～—–·", ",.?!,,,,,……--,")

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("date", r"(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)"),
    ("time", r"(?<![\d:])\d{1,2}:\d{2}(?![\d:])"),
    ("phone", r"(?<!\d)0\d{1,2}-\d{3,4}-\d{4}(?!\d)|(?<!\d)\d{4}-\d{4}(?!\d)"),
    ("money", rf"[₩￦$¥€£]\s?{_NUMBER}[만억]?"),
    ("month", r"(?<!\d)(?:6|06|10)(?=월)"),
    ("range", rf"(?<=\d)[-~～](?={_NUMBER})"),
    ("measured", rf"[-−]?{_NUMBER}[ ]?(?:{_UNIT})(?![A-Za-z])"),
    ("counted", _COUNTED),
    ("number", rf"(?:(?<![A-Za-z0-9])[-−])?{_NUMBER}"),
    ("symbol", f"[{''.join(map(re.escape, _SYMBOLS))}]"),
    ("mark", rf"[{_MARK_CHARS}]+|-(?=\s)"),
    ("hangul", r"[가-힣]+|[ㄱ-ㅣ]+"),
    ("gap", r"\s+"),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))


def normalize(text: str) -> list[Written]:
    """Read a text aloud, word by word (words are what stands between spaces)."""
    words: list[Written] = []
    written = spoken = ""
    for match in [*_TOKEN.finditer(text), None]:
        kind = match.lastgroup if match else "gap"
        if kind not in ("gap", "mark"):
            assert match is not None
            assert kind is not None
            written += match.group()
            spoken += _READERS[kind](match.group())
            continue
        if spoken:
            words.append(Written(written, spoken))
        written = spoken = ""
        if kind == "mark" and match:
            words.append(Written("", _mark(match.group())))
    return words


def cardinal(number: int) -> str:
    """Sino-Korean: ``2024`` → 이천이십사; ``10000`` → 만."""
    if number == 0:
        return "영"
    spoken = ""
    for place in reversed(range(len(_LARGE_UNITS))):
        group = number // 10000**place % 10000
        said = _below_ten_thousand(group)
        if group:
            spoken += ("" if said == "일" and place == 1 else said) + _LARGE_UNITS[place]
    return spoken


def _below_ten_thousand(number: int) -> str:
    spoken = ""
    for place, unit in ((3, "천"), (2, "백"), (1, "십"), (0, "")):
        digit = number // 10**place % 10
        if digit:
            spoken += ("" if digit == 1 and unit else _DIGITS[digit]) + unit
    return spoken


def native(number: int) -> str:
    """Native Korean before a counter, 1 to 99: ``20`` → 스무, ``21`` → 스물한."""
    if number == 20:
        return "스무"
    tens, ones = divmod(number, 10)
    return _NATIVE_TENS[tens] + _NATIVE_ONES[ones]


def digits(text: str, zero: str = "영") -> str:
    """Digit by digit."""
    return "".join(_DIGITS[int(char)] for char in text if char in "0123456789").replace("영", zero)


def decimal(text: str) -> str:
    """``-3.14`` or ``1,024``."""
    sign = "마이너스 " if text.startswith(("-", "−")) else ""
    whole, _, fraction = text.lstrip("-−").replace(",", "").partition(".")
    said = cardinal(int(whole)) if len(whole) <= 4 * len(_LARGE_UNITS) else digits(whole)
    return sign + said + (" 점 " + digits(fraction) if fraction else "")


def _read_date(text: str) -> str:
    year, month, day = (int(part) for part in re.findall(r"\d+", text))
    return f"{cardinal(year)}년 {_month(month)}월 {cardinal(day)}일"


def _month(number: int) -> str:
    return {6: "유", 10: "시"}.get(number) or cardinal(number)


def _read_time(text: str) -> str:
    hour, minute = (int(part) for part in text.split(":"))
    said = native(hour) if 1 <= hour <= 12 else cardinal(hour)
    return f"{said} 시" + (f" {cardinal(minute)} 분" if minute else "")


def _read_phone(text: str) -> str:
    return " ".join(digits(group, "공") for group in text.split("-"))


def _read_money(text: str) -> str:
    amount = text[1:].strip()
    scale = amount[-1] if amount[-1] in "만억" else ""
    return f"{decimal(amount.rstrip('만억'))}{scale} {_CURRENCIES[text[0]]}"


def _read_measured(text: str) -> str:
    match = re.fullmatch(rf"([-−]?)({_NUMBER})[ ]?(.*)", text)
    assert match is not None, text
    sign, amount, unit = match.groups()
    negative = ("영하 " if _UNITS[unit] == "도" else "마이너스 ") if sign else ""
    speed = "시속 " if unit == "km/h" else ""
    return f"{speed}{negative}{decimal(amount)} {_UNITS[unit]}"


def _read_counted(text: str) -> str:
    number = int(text)
    return native(number) if number else "영"


def _read_number(text: str) -> str:
    if re.fullmatch(r"0\d+", text):
        return digits(text, "공")
    return decimal(text)


def _mark(text: str) -> str:
    if "…" in text or ".." in text:
        return "…"
    kept = next((char for char in "？?！!。." if char in text), text[0])
    return kept.translate(_MARKS)


_READERS: dict[str, Callable[[str], str]] = {
    "date": _read_date,
    "time": _read_time,
    "phone": _read_phone,
    "money": _read_money,
    "month": lambda text: _month(int(text)),
    "range": lambda text: "에서 ",
    "measured": _read_measured,
    "counted": _read_counted,
    "number": _read_number,
    "symbol": _SYMBOLS.__getitem__,
    "hangul": str,
}
