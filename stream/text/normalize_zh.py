"""Chinese as it is written → as it is spoken: numbers, dates, times, money, units.

Every written piece keeps its own spoken characters, so captions stay true. Knows nothing about
pinyin. Cantonese uses it too.
"""

import re
from collections.abc import Callable

from selftalk.stream.text import numbers_zh as numbers
from selftalk.stream.text.phonemes import Written

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_CURRENCIES = {
    "¥": "元",
    "￥": "元",
    "$": "美元",
    "€": "欧元",
    "£": "英镑",
    "₩": "韩元",
    "HK$": "港元",
    "US$": "美元",
}
_UNITS = {
    "km/h": "公里每小时",
    "m/s": "米每秒",
    "km²": "平方公里",
    "m²": "平方米",
    "m³": "立方米",
    "Hz": "赫兹",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "kg": "公斤",
    "mg": "毫克",
    "ml": "毫升",
    "mL": "毫升",
    "kWh": "千瓦时",
    "kW": "千瓦",
    "°C": "摄氏度",
    "°F": "华氏度",
    "°": "度",
    "m": "米",
    "g": "克",
    "L": "升",
    "t": "吨",
}
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
# After these a lone 2 is 两 (liǎng); after 第 and before 月, 号, 日, 楼 … it stays 二.
_MEASURES = (
    "个只条张本位名件家台辆块元次天年周岁点倍种类组对双杯碗瓶盒包袋斤米吨层座间套部篇首句段"
    "道头匹片朵棵颗根枝支把扇面幅封份笔股架艘门栋排群批场回遍趟番秒分小星斗公厘平口人万亿"
)
_MARKS = str.maketrans("，。？！、；：;:～~—–·•", ",.?!,,,,,……--,,")
_MARK_CHARS = "，。？！、；：,.?!;:…～~—–-"

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("date", r"(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)[日号]?"),
    ("time", r"(?<![\d:：])\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?![\d:：])"),
    (
        "phone",
        r"(?<!\d)(?:\+?86[- ]?)?1\d{2}[- ]?\d{4}[- ]?\d{4}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)",
    ),
    (
        "year",
        r"(?<![\d.])\d{4}(?:[-~～—至到]\d{4})?(?=年)|(?<![\d.])(?:[7-9]\d(?=年(?!代))|\d0(?=后))",
    ),
    ("money", rf"(?:HK\$|US\$|[¥￥$€£₩])\s?{_NUMBER}[万亿]?(?:元|块)?"),
    ("percent", rf"[-−+]?{_NUMBER}(?:[-~～—至到]{_NUMBER})?[%‰％]"),
    ("fraction", r"(?<![\d/.])\d{1,4}/\d{1,4}(?![\d/])"),
    ("range", rf"(?<![\d.\w-]){_NUMBER}[-~～—]{_NUMBER}(?:{_UNIT})?(?![\d-])"),
    ("score", r"(?<![\d:：])\d{1,3}[:：]\d{1,3}(?![\d:：])"),
    ("version", r"(?<![\d.])\d+(?:\.\d+){2,}(?!\d)"),
    ("measured", rf"[-−]?{_NUMBER}[ ]?(?:{_UNIT})(?![A-Za-z])"),
    ("number", rf"(?:(?<![A-Za-z0-9.])[-−+])?{_NUMBER}"),
    ("operator", r"(?<=\d)\s?[+×÷=*]\s?(?=\d)"),
    ("mark", rf"[{re.escape(_MARK_CHARS)}]+|·|•"),
    ("han", r"[㐀-䶿一-鿿豈-﫿〇々]"),
    ("latin", r"[A-Za-z]+"),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))
_OPERATORS = {"+": "加", "×": "乘", "*": "乘", "÷": "除以", "=": "等于"}


_CALLED = re.compile(  # what is said digit by digit
    "(?:拨打?|致电|电话|热线|手机|尾号|编号|房间|密码|学号|航班|邮编|電話|房間|手機|熱線|編號)"
    "[是为為係系号號:：]*$"
)


def normalize(text: str) -> list[Written]:
    """Read a text aloud, piece by piece; what cannot be said in Chinese is left out."""
    pieces: list[Written] = []
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        before, after = text[: match.start()], text[match.end() :]
        piece = _READERS[match.lastgroup](match.group(), before, after)
        if piece:
            pieces.append(piece)
    return pieces


def _read_date(text: str, before: str, after: str) -> Written:
    year, month, day = re.findall(r"\d+", text)
    spoken = f"{numbers.digits(year)}年{numbers.cardinal(int(month))}月{numbers.cardinal(int(day))}"
    return Written(text, spoken + (text[-1] if text[-1] in "日号" else "日"))


def _read_time(text: str, before: str, after: str) -> Written:
    hour, minute, *second = (int(part) for part in re.split("[:：]", text))
    if hour > 24 or minute > 59:
        return _read_score(text, before, after)
    spoken = ("两" if hour == 2 else numbers.cardinal(hour)) + "点"
    if second:
        spoken += f"{_two_places(minute)}分{_two_places(second[0])}秒"
    elif minute == 30:
        spoken += "半"
    elif minute:
        spoken += _two_places(minute) + "分"
    return Written(text, spoken)


def _two_places(number: int) -> str:
    return ("零" if 0 < number < 10 else "") + numbers.cardinal(number)


def _read_phone(text: str, before: str, after: str) -> Written:
    return Written(text, numbers.digits(text, yao=True))


def _read_year(text: str, before: str, after: str) -> Written:
    first, *last = re.findall(r"\d+", text)
    return Written(text, "到".join(numbers.digits(part) for part in (first, *last)))


def _read_money(text: str, before: str, after: str) -> Written:
    match = re.fullmatch(rf"(\D+?)\s?({_NUMBER})([万亿]?)(元|块)?", text)
    assert match is not None, text
    currency, amount, scale, _ = match.groups()
    said = _counted(_plain_decimal(amount), "元")
    return Written(text, said + scale + _CURRENCIES[currency])


def _plain_decimal(amount: str) -> str:
    """``3.50`` → 三点五: money does not say closing zeros."""
    return numbers.decimal(re.sub(r"\.?0+$", "", amount) if "." in amount else amount)


def _counted(spoken: str, unit: str) -> str:
    return "两" if spoken == "二" and unit[:1] in _MEASURES else spoken


def _read_percent(text: str, before: str, after: str) -> Written:
    whole = "千分之" if text.endswith("‰") else "百分之"
    sign = "负" if text[0] in "-−" else ""
    low, *high = re.findall(_NUMBER, text)
    return Written(text, sign + whole + "到".join(numbers.decimal(part) for part in (low, *high)))


def _read_fraction(text: str, before: str, after: str) -> Written:
    top, bottom = (int(part) for part in text.split("/"))
    return Written(text, f"{numbers.cardinal(bottom)}分之{numbers.cardinal(top)}")


def _read_range(text: str, before: str, after: str) -> Written:
    match = re.fullmatch(rf"({_NUMBER})[-~～—]({_NUMBER})(.*)", text)
    assert match is not None, text
    low, high, unit = match.groups()
    if after.lstrip().startswith("="):
        return Written(text, f"{numbers.decimal(low)}减{numbers.decimal(high)}")
    said_unit = _UNITS.get(unit, "")
    counted = said_unit or after
    return Written(
        text,
        f"{_counted(numbers.decimal(low), counted)}到{_counted(numbers.decimal(high), counted)}"
        + said_unit,
    )


def _read_score(text: str, before: str, after: str) -> Written:
    left, right = re.split("[:：]", text)
    return Written(text, f"{numbers.cardinal(int(left))}比{numbers.cardinal(int(right))}")


def _read_version(text: str, before: str, after: str) -> Written:
    return Written(text, "点".join(numbers.decimal(part) for part in text.split(".")))


def _read_measured(text: str, before: str, after: str) -> Written:
    match = re.fullmatch(rf"([-−]?)({_NUMBER})[ ]?(.*)", text)
    assert match is not None, text
    sign, amount, unit = match.groups()
    said_unit = _UNITS[unit]
    negative = ("零下" if said_unit.endswith("度") else "负") if sign else ""
    return Written(text, negative + _counted(numbers.decimal(amount), said_unit) + said_unit)


def _read_number(text: str, before: str, after: str) -> Written:
    called = _CALLED.search(before)
    if re.fullmatch(r"\d+", text):
        if called or re.match(r"0\d", text) or len(text) > 12:
            return Written(text, numbers.digits(text, yao=bool(called)))
        if re.search(r"[A-Z]$", before) and len(text) > 2:  # train and flight numbers
            return Written(text, numbers.digits(text, yao=True))
        if text == "2" and not before.endswith("第") and after[:1] and after[0] in _MEASURES:
            special = re.match(r"[年]级|点[零一二三四五六七八九\d]|月|号|日|楼", after)
            return Written(text, "二" if special else "两")
    sign = "加" if text.startswith("+") else ""
    return Written(text, sign + numbers.decimal(text.lstrip("+")))


def _read_operator(text: str, before: str, after: str) -> Written:
    return Written(text.strip(), _OPERATORS[text.strip()])


def _read_mark(text: str, before: str, after: str) -> Written:
    if "…" in text or ".." in text or "。。" in text:
        return Written("", "…")
    kept = next((char for char in "？?！!。." if char in text), text[0])
    return Written("", kept.translate(_MARKS))


def _read_han(text: str, before: str, after: str) -> Written:
    if text == "〇":
        return Written(text, "零")
    if text == "々":
        return Written(text, before[-1:] if re.match("[一-鿿]", before[-1:]) else "")
    return Written(text, text)


def _read_latin(text: str, before: str, after: str) -> Written | None:
    return None


_READERS: dict[str, Callable[[str, str, str], Written | None]] = {
    "date": _read_date,
    "time": _read_time,
    "phone": _read_phone,
    "year": _read_year,
    "money": _read_money,
    "percent": _read_percent,
    "fraction": _read_fraction,
    "range": _read_range,
    "score": _read_score,
    "version": _read_version,
    "measured": _read_measured,
    "number": _read_number,
    "operator": _read_operator,
    "mark": _read_mark,
    "han": _read_han,
    "latin": _read_latin,
}
