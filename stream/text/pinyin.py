"""Pinyin syllables → the two official symbols of a Chinese character: initial and toned final.

Knows nothing about characters.
"""

import re

from selftalk.stream.text.symbols import CHINESE_FINALS

_SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)([a-zêü]+)([1-5])")
_ODD_SYLLABLES = {"n": "en", "ng": "en", "m": "mu", "hm": "hen", "hng": "heng", "ê": "ei"}
_ZERO_INITIALS = {"a": "AA", "e": "EE", "o": "OO"}
_AFTER_Y = {"an": "En", "e": "E", "u": "v", "uan": "van", "ue": "ve", "un": "vn"}
_AFTER_JQX = {"u": "v", "uan": "van", "ue": "ve", "un": "vn"}


def syllable_symbols(syllable: str) -> tuple[str, str] | None:
    """``zhang3`` → (``zh``, ``ang3``); None if it is no Mandarin syllable."""
    match = _SYLLABLE.fullmatch(syllable.replace("ü", "v"))
    if match is None or match[1] + match[2] in _ODD_SYLLABLES:
        odd = _ODD_SYLLABLES.get(syllable[:-1])
        return syllable_symbols(odd + syllable[-1]) if odd else None
    initial, final, tone = match.groups()
    if not initial:
        initial = _ZERO_INITIALS.get(final[0], "")
    final = _official_final(initial, final)
    return (initial, final + tone) if initial and final in CHINESE_FINALS else None


def _official_final(initial: str, final: str) -> str:
    """Tell finals apart that are spelled alike: those of zhi, zi, ju and yan."""
    if initial == "y":
        return _AFTER_Y.get(final, final)
    if initial in ("j", "q", "x"):
        return _AFTER_JQX.get(final, final)
    if final == "i" and initial in ("zh", "ch", "sh", "r"):
        return "ir"
    if final == "i" and initial in ("z", "c", "s"):
        return "i0"
    return "ve" if final == "ue" else final
