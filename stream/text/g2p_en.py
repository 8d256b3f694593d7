"""English words → ARPAbet: dictionary, word forms, compounds, letter names, and a network at last.

Knows nothing about numbers and abbreviations; ``normalize_en`` has written those out.
"""

import lzma
import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from selftalk.stream.text import letter_to_sound
from selftalk.stream.text.heteronyms_en import choose
from selftalk.stream.text.normalize_en import normalize
from selftalk.stream.text.phonemes import Spoken
from selftalk.stream.text.words_en import WORDS

Arpabet = tuple[str, ...]

# Said as words although written in capitals; other short capitals are letter names.
_WORD_ACRONYMS = frozenset(
    "nasa nato unesco unicef opec laser radar scuba aids fifa uefa gif jpeg ram rom pin sim swat "
    "ikea lego covid nasdaq sat act cad ascii bios captcha dos gui html json yaml sql moma lan "
    "wan mac pos bert nerf lora rag vat zip asap ok lol yolo fomo mit".split()
) - {"html", "sql", "vat", "pos", "mit", "act", "gui"}
# Short words that people write in capitals for stress rather than as an acronym.
_STRESSED_WORDS = frozenset(
    "a i no not all yes and the you me my we he she they do did can will now so but or if in on "
    "one two too was are is be why how what when who this that very never ever must get got go "
    "stop new big best only just out off up down more most see say said our your his her than "
    "then any even love hate help wait hey wow oh please really always nothing every first last "
    "for from with have has had were would could should".split()
)
_CONFUSABLE = frozenset(["it", "us", "who", "am", "pm", "un", "ad", "id", "ip", "it's"])
_LETTER_NAMES: dict[str, Arpabet] = {
    name[0]: tuple(name[1:].split())
    for name in (
        "AEY1", "BB IY1", "CS IY1", "DD IY1", "EIY1", "FEH1 F", "GJH IY1", "HEY1 CH", "IAY1",
        "JJH EY1", "KK EY1", "LEH1 L", "MEH1 M", "NEH1 N", "OOW1", "PP IY1", "QK Y UW1",
        "RAA1 R", "SEH1 S", "TT IY1", "UY UW1", "VV IY1", "WD AH1 B AH0 L Y UW0", "XEH1 K S",
        "YW AY1", "ZZ IY1",
    )
}  # fmt: skip
_VOICELESS = frozenset("P T K F TH".split())
_SIBILANT = frozenset("S Z SH ZH CH JH".split())


@cache
def lexicon() -> dict[str, Arpabet]:
    """The pronouncing dictionary, one (the first) pronunciation per lower-case word."""
    packed = files("selftalk.stream.text").joinpath("cmudict.txt.xz").read_bytes()
    entries: dict[str, Arpabet] = {}
    for line in lzma.decompress(packed).decode("utf-8").splitlines():
        word, _, symbols = line.partition(" ")
        entries[word] = tuple(symbols.split())
    for line in WORDS.split("\n"):
        word, _, symbols = line.partition(" ")
        if word:
            entries[word] = tuple(symbols.split())
    return entries


def speak(text: str) -> list[Spoken]:
    """Phonemes of English text, word by word."""
    sentence = normalize(text)
    words = [word for _, said in sentence for word in said]
    spoken: list[Spoken] = []
    at = 0
    for written, said in sentence:
        if written:
            symbols = (symbol for index in range(len(said)) for symbol in _say(words, at + index))
            spoken.append(Spoken(written, tuple(symbols)))
        else:
            spoken.append(Spoken("", said))
        at += len(said)
    return _with_vowel_the([word for word in spoken if word.symbols])


def _say(words: Sequence[str], at: int) -> Arpabet:
    return choose(words, at, lexicon()) or word_symbols(words[at])


def _with_vowel_the(spoken: Sequence[Spoken]) -> list[Spoken]:
    """«the» is DH IY0 before a vowel."""
    result = list(spoken)
    for index, (this, following) in enumerate(pairwise(spoken)):
        if this.word.lower() == "the" and following.word and following.symbols[0][-1].isdigit():
            result[index] = Spoken(this.word, ("DH", "IY0"))
    return result


@lru_cache(maxsize=20_000)
def word_symbols(word: str) -> Arpabet:
    """ARPAbet of one spoken word, capitals as written."""
    if len(word) == 1 and word.upper() in _LETTER_NAMES and word.isupper():
        return _LETTER_NAMES[word]
    if _is_spelled(word):
        return _spell(word)
    lower = word.lower()
    if not lower.isascii():
        found = lexicon().get(lower)
        return found or word_symbols(_without_accents(word))
    found = _known(lower) or _camel_case(word) or _compound(lower)
    if found:
        return found
    letters = re.sub("[^a-z]", "", lower)
    if len(letters) <= 1 or not re.search("[aeiou]" if len(letters) <= 3 else "[aeiouy]", letters):
        return _spell(letters.upper())
    return letter_to_sound.pronounce(letters)


def _without_accents(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word)
    return "".join(char for char in plain if char.isascii() and (char.isalpha() or char == "'"))


def _is_spelled(word: str) -> bool:
    base = re.sub(r"(?:'s|s'|s|')$", "", word) if not word.isupper() else word
    if not (base.isupper() and base.isalpha() and base.isascii()) or len(base) < 2:
        return False
    lower = base.lower()
    if lower in _WORD_ACRONYMS or lower in _STRESSED_WORDS:
        return False
    if lower in _CONFUSABLE or len(lower) <= 3:
        return True
    return lower not in lexicon() and (len(lower) <= 5 or not re.search("[aeiouy]", lower))


def _spell(word: str) -> Arpabet:
    base = re.sub(r"'?s?'?$", "", word) if not word.isupper() else word
    symbols = tuple(symbol for letter in base.upper() for symbol in _LETTER_NAMES.get(letter, ()))
    return _with_s(symbols) if base != word and symbols else symbols


def _known(word: str) -> Arpabet | None:
    entries = lexicon()
    if word in entries:
        return entries[word]
    for suffix in ("'s", "s'", "'"):
        if word.endswith(suffix) and len(word) > len(suffix):
            stem = word.removesuffix(suffix)
            if suffix == "'s":
                return _with_s(word_symbols(stem))
            return word_symbols(stem + "s" if suffix == "s'" else stem)
    for suffix, ending in (
        ("'ll", ("AH0", "L")),
        ("'d", ("D",)),
        ("'ve", ("V",)),
        ("'re", ("ER0",)),
    ):
        if word.endswith(suffix):
            return (*word_symbols(word.removesuffix(suffix)), *ending)
    return _inflected(word)


def _with_s(stem: Arpabet) -> Arpabet:
    if stem[-1] in _SIBILANT:
        return (*stem, "IH0", "Z")
    return (*stem, "S" if stem[-1] in _VOICELESS else "Z")


def _with_ed(stem: Arpabet) -> Arpabet:
    if stem[-1] in ("T", "D"):
        return (*stem, "IH0", "D")
    return (*stem, "T" if stem[-1] in _VOICELESS | _SIBILANT - {"Z", "ZH", "JH"} else "D")


def _inflected(word: str) -> Arpabet | None:
    """Forms of known words: plural, past, -ing, -er, -ly, -ness, un-, re-."""
    entries = lexicon()
    for suffix, build in _ENDINGS:
        if not word.endswith(suffix) or len(word) < len(suffix) + 3:
            continue
        stem = word.removesuffix(suffix)
        for candidate in (stem, stem + "e", stem[:-1] if stem[-1:] == stem[-2:-1] else ""):
            if candidate in entries and len(candidate) >= 3:
                return build(entries[candidate])
    for prefix, symbols in _PREFIXES.items():
        if (
            word.startswith(prefix)
            and len(word) > len(prefix) + 3
            and word[len(prefix) :] in entries
        ):
            return (*symbols, *entries[word[len(prefix) :]])
    return None


_ENDINGS = (
    ("ies", lambda stem: _with_s(stem)),
    ("es", lambda stem: _with_s(stem)),
    ("s", lambda stem: _with_s(stem)),
    ("ed", lambda stem: _with_ed(stem)),
    ("ing", lambda stem: (*stem, "IH0", "NG")),
    ("er", lambda stem: (*stem, "ER0")),
    ("ers", lambda stem: (*stem, "ER0", "Z")),
    ("ly", lambda stem: (*stem, "L", "IY0")),
    ("ness", lambda stem: (*stem, "N", "AH0", "S")),
    ("less", lambda stem: (*stem, "L", "AH0", "S")),
    ("able", lambda stem: (*stem, "AH0", "B", "AH0", "L")),
    ("ish", lambda stem: (*stem, "IH0", "SH")),
)
_PREFIXES: dict[str, Arpabet] = {
    "un": ("AH0", "N"),
    "re": ("R", "IY0"),
    "non": ("N", "AA2", "N"),
    "pre": ("P", "R", "IY0"),
    "anti": ("AE2", "N", "T", "IY0"),
    "multi": ("M", "AH2", "L", "T", "IY0"),
    "micro": ("M", "AY2", "K", "R", "OW0"),
    "super": ("S", "UW2", "P", "ER0"),
    "over": ("OW2", "V", "ER0"),
    "mis": ("M", "IH0", "S"),
}


def _camel_case(word: str) -> Arpabet | None:
    """``OpenAI`` → Open + AI; only when each part is known or spelled."""
    parts = re.findall(r"[A-Z]{2,}(?=[A-Z][a-z]|s?$)s?|[A-Z]?[a-z']+|[A-Z]", word)
    if len(parts) < 2 or "".join(parts) != word:
        return None
    return tuple(symbol for part in parts for symbol in word_symbols(part))


def _compound(word: str) -> Arpabet | None:
    """``livestream`` → live + stream: two known words of three letters or more."""
    entries = lexicon()
    for cut in range(len(word) - 3, 2, -1):
        first, second = word[:cut], word[cut:]
        if first in entries and second in entries:
            weaker = tuple(symbol.replace("1", "2") for symbol in entries[second])
            return (*entries[first], *weaker)
    return None
