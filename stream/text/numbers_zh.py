"""Numbers as Chinese characters: cardinals, digit by digit, decimals.

Knows nothing about text around the number.
"""

_DIGITS = "零一二三四五六七八九"
_SMALL_UNITS = ("", "十", "百", "千")
_LARGE_UNITS = ("", "万", "亿", "万亿")
_LARGEST_DIGITS = 4 * len(_LARGE_UNITS)


def digits(text: str, *, yao: bool = False) -> str:
    """Digit by digit; ``yao`` says 幺 for one, as in telephone numbers."""
    spoken = "".join(_DIGITS[int(char)] for char in text if char in "0123456789")
    return spoken.replace("一", "幺") if yao else spoken


def _below_ten_thousand(number: int) -> str:
    spoken, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit == 0:
            gap = gap or bool(spoken)
            continue
        spoken += ("零" if gap else "") + _DIGITS[digit] + _SMALL_UNITS[place]
        gap = False
    return spoken


def cardinal(number: int) -> str:
    """``2024`` → 两千零二十四; ``200`` → 两百."""
    if number < 0:
        return "负" + cardinal(-number)
    if number == 0:
        return "零"
    spoken, gap = "", False
    for place in reversed(range(len(_LARGE_UNITS))):
        group = number // 10000**place % 10000
        if group == 0:
            gap = gap or bool(spoken)
            continue
        needs_zero = bool(spoken) and (gap or group < 1000)
        said = _below_ten_thousand(group)
        if said == "二" and place:
            said = "两"
        spoken += ("零" if needs_zero else "") + said + _LARGE_UNITS[place]
        gap = False
    spoken = spoken.replace("二千", "两千")
    if spoken.startswith("二百"):
        spoken = "两" + spoken[1:]
    return spoken[1:] if spoken.startswith("一十") else spoken


def decimal(text: str) -> str:
    """``-3.14``, ``1,024`` or ``.5``."""
    sign = "负" if text.startswith(("-", "−")) else ""
    whole, _, fraction = text.lstrip("-−+").replace(",", "").partition(".")
    too_long = len(whole) > _LARGEST_DIGITS
    spoken = digits(whole) if too_long else cardinal(int(whole)) if whole else "零"
    return sign + spoken + ("点" + digits(fraction) if fraction else "")
