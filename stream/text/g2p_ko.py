"""Korean → the letters as they sound: liaison, assimilation, tensing, aspiration.

The rules are those of the standard pronunciation; what only a dictionary can know stands in a short
list of words. Every syllable keeps its (silent) ㅇ, compound vowels are written in two parts and a
space is ``空``, as in the official symbols. Knows nothing about other languages inside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from selftalk.stream.text.normalize_ko import normalize
from selftalk.stream.text.phonemes import Spoken, Written, by_phrase
from selftalk.stream.text.symbols import KOREAN_SPACE
from selftalk.stream.text.words_ko import SAID

_ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODAS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_VOWEL_PARTS = {
    "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ",
    "ㅑ": "ㅣㅏ", "ㅒ": "ㅣㅐ", "ㅕ": "ㅣㅓ", "ㅖ": "ㅣㅔ", "ㅛ": "ㅣㅗ", "ㅠ": "ㅣㅜ",
    "ㅢ": "ㅡㅣ",
}  # fmt: skip
_SPLIT_CODAS = {
    "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ",
    "ㄽ": "ㄹㅅ", "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip
# What a coda sounds like when nothing takes it over.
_CODA_SOUNDS = {
    **dict.fromkeys("ㄱㄲㅋㄳㄺ", "ㄱ"), **dict.fromkeys("ㄷㅅㅆㅈㅊㅌㅎ", "ㄷ"),
    **dict.fromkeys("ㅂㅍㅄㄿ", "ㅂ"), **dict.fromkeys("ㄹㄼㄽㄾㅀ", "ㄹ"),
    **dict.fromkeys("ㄴㄵㄶ", "ㄴ"), **dict.fromkeys("ㅁㄻ", "ㅁ"), "ㅇ": "ㅇ", "": "",
}  # fmt: skip
_TENSE = {"ㄱ": "ㄲ", "ㄷ": "ㄸ", "ㅂ": "ㅃ", "ㅅ": "ㅆ", "ㅈ": "ㅉ"}
_ASPIRATED = {"ㄱ": "ㅋ", "ㄷ": "ㅌ", "ㅂ": "ㅍ", "ㅈ": "ㅊ"}
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}
_AFTER_FUTURE = re.compile(
    "(?:것|거(?=[예야지라든면니나는도를만다에 ]|$)|건|걸|게|겁|수(?=[있없가도는밖 ]|$)"
    "|데(?=[가를도에 ]|$)|줄|듯|바(?=[가를는 ])|적(?=[이도]))"
)
_FUTURE_ENDINGS = re.compile(r"(?<!말)(?:게(?=요|[ ]|$)|걸(?=요|[ ]|$)|수록|지(?=도[ ]?모|[ ]모))")

# Verb stems on ㄴ or ㅁ whose endings are tensed: 신고 [신꼬], 남지 [남찌].
_TENSING_STEMS = re.compile(
    r"((?:남|넘|숨|굶|닮|젊|삶|옮|껴안|끌어안|머금|다듬|더듬)(?=[고지다기던게습])"
    r"|신(?=[고는다던])"
    r"|(?<![가-힣])(?:참(?=[지다습던])|담(?=[고다습던])|심(?=[고다습던])"
    r"|감(?=[고다습])))"
    r"(고(?=[있싶나는 ]|$)|지(?=[만요는도않못 ]|$)|다(?=[가 ]|$)|습|기(?=[도는로에 ]|$)|던"
    r"|게(?=[ ]|$))"
)


@dataclass(slots=True)
class _Syllable:
    onset: str
    vowel: str
    coda: str
    word: int
    """Index of its word."""
    starts_word: bool
    after_future: bool = False
    """Whether it is tensed by a future stem before it: 할 것 [할 껏]."""


def speak(text: str) -> list[Spoken]:
    """Phonemes of Korean text, word by word."""
    return by_phrase(normalize(text), _speak_phrase)


def _speak_phrase(phrase: Sequence[Written]) -> list[Spoken]:
    letters: list[list[str]] = [[] for _ in phrase]
    for syllable in read([piece.spoken for piece in phrase]):
        vowel = _VOWEL_PARTS.get(syllable.vowel, syllable.vowel)
        letters[syllable.word] += [*syllable.onset, *vowel, *syllable.coda]
    spoken: list[Spoken] = []
    for piece, symbols in zip(phrase, letters, strict=True):
        if spoken and symbols:
            spoken.append(Spoken("", (KOREAN_SPACE,)))
        spoken.append(Spoken(piece.written, tuple(symbols)))
    return spoken


def read(words: Sequence[str]) -> list[_Syllable]:
    """The syllables of a phrase as they sound; ``words`` are Hangul, perhaps with spaces inside."""
    text = " ".join(words)
    owners = [index for index, word in enumerate(words) for _ in [*word, " "]]
    text = _SAID_WORDS.sub(lambda match: SAID[match.group()], text)
    text = _TENSING_STEMS.sub(lambda match: match[1] + _tensed(match[2]), text)
    syllables = [_parse(text, at, owners[at]) for at in range(len(text)) if not text[at].isspace()]
    for left, right in pairwise(syllables):
        _meet(left, right)
    if syllables:
        syllables[-1].coda = _CODA_SOUNDS[syllables[-1].coda]
    return syllables


_SAID_WORDS = re.compile("|".join(sorted(map(re.escape, SAID), key=len, reverse=True)))


def _tensed(ending: str) -> str:
    onset, rest = divmod(ord(ending[0]) - ord("가"), 588)
    tense = _ONSETS.index(_TENSE[_ONSETS[onset]])
    return chr(ord("가") + tense * 588 + rest) + ending[1:]


def _parse(text: str, at: int, word: int) -> _Syllable:
    char = text[at]
    starts = at == 0 or text[at - 1].isspace()
    if char in _VOWELS:
        return _Syllable("ㅇ", char, "", word, starts)
    if not "가" <= char <= "힣":  # a lone consonant, as in ㅋㅋ
        return _Syllable(char if char in _ONSETS else "ㅇ", "ㅡ", "", word, starts)
    onset, rest = divmod(ord(char) - ord("가"), 588)
    vowel, coda = divmod(rest, 28)
    syllable = _Syllable(_ONSETS[onset], _VOWELS[vowel], _CODAS[coda], word, starts)
    if syllable.vowel == "ㅢ" and syllable.onset != "ㅇ":
        syllable.vowel = "ㅣ"
    if syllable.vowel == "ㅕ" and syllable.onset in "ㅈㅉㅊ":
        syllable.vowel = "ㅓ"
    pattern = _AFTER_FUTURE if starts else _FUTURE_ENDINGS
    syllable.after_future = pattern.match(text, at) is not None
    return syllable


def _meet(left: _Syllable, right: _Syllable) -> None:
    """Change a coda and the onset after it as they are said one after the other."""
    linked = not right.starts_word
    if linked and _palatalize(left, right):
        return
    if _aspirate(left, right, linked=linked):
        return
    if linked and right.onset == "ㅇ" and left.coda not in ("", "ㅇ"):
        _link(left, right)
        return
    _tense(left, right, linked=linked)
    left.coda = _CODA_SOUNDS[left.coda]
    _assimilate(left, right, linked=linked)


def _palatalize(left: _Syllable, right: _Syllable) -> bool:
    if right.vowel not in "ㅣㅕ":
        return False
    changed = {("ㄷ", "ㅇ"): "ㅈ", ("ㅌ", "ㅇ"): "ㅊ", ("ㄾ", "ㅇ"): "ㅊ", ("ㄷ", "ㅎ"): "ㅊ"}
    onset = changed.get((left.coda, right.onset))
    if onset is None or (right.vowel == "ㅕ" and left.coda == "ㄷ" and right.onset == "ㅇ"):
        return False
    left.coda = "ㄹ" if left.coda == "ㄾ" else ""
    right.onset = onset
    if right.vowel == "ㅕ":
        right.vowel = "ㅓ"
    return True


def _aspirate(left: _Syllable, right: _Syllable, *, linked: bool) -> bool:
    if left.coda in ("ㅎ", "ㄶ", "ㅀ"):
        return _after_h(left, right, linked=linked)
    if right.onset != "ㅎ" or not left.coda:
        return False
    rest, last = _split(left.coda)
    if not linked or left.coda in ("ㅄ", "ㄳ"):
        rest, last = "", _CODA_SOUNDS[left.coda]
    last = last if last == "ㅈ" else _CODA_SOUNDS[last]
    if last not in _ASPIRATED:
        return False
    left.coda, right.onset = rest, _ASPIRATED[last]
    return True


def _after_h(left: _Syllable, right: _Syllable, *, linked: bool) -> bool:
    rest = {"ㅎ": "", "ㄶ": "ㄴ", "ㅀ": "ㄹ"}[left.coda]
    if right.onset in _ASPIRATED and right.onset != "ㅂ":
        left.coda, right.onset = rest, _ASPIRATED[right.onset]
    elif right.onset == "ㅅ":
        left.coda, right.onset = rest, "ㅆ"
    elif right.onset == "ㄴ":
        left.coda, right.onset = rest or "ㄴ", "ㄹ" if rest == "ㄹ" else "ㄴ"
    elif right.onset == "ㅇ" and linked:
        left.coda, right.onset = "", rest or "ㅇ"
    else:
        return False
    return True


def _split(coda: str) -> tuple[str, str]:
    parts = _SPLIT_CODAS.get(coda, coda)
    return parts[:-1], parts[-1:]


def _link(left: _Syllable, right: _Syllable) -> None:
    rest, moved = _split(left.coda)
    if left.coda in "ㄳㄽㅄ":
        moved = "ㅆ"
    left.coda, right.onset = rest, moved


def _tense(left: _Syllable, right: _Syllable, *, linked: bool) -> None:
    if right.onset not in _TENSE:
        return
    if left.coda == "ㄺ" and right.onset == "ㄱ" and linked and _is_verb_on_lg(left):
        left.coda = "ㄹ"
    elif left.coda == "ㄼ" and left.onset + left.vowel == "ㅂㅏ":  # 밟다
        left.coda = "ㅂ"
    elif not (
        _CODA_SOUNDS[left.coda] in _NASAL
        or (linked and _tenses_its_ending(left))
        or (left.coda == "ㄹ" and right.after_future)
    ):
        return
    right.onset = _TENSE[right.onset]


def _tenses_its_ending(verb: _Syllable) -> bool:
    """앉고 [안꼬], 핥다 [할따], 넓다 [널따]; but 여덟 is no verb."""
    return verb.coda in ("ㄵ", "ㄾ") or (verb.coda == "ㄼ" and verb.onset + verb.vowel != "ㄷㅓ")


def _is_verb_on_lg(syllable: _Syllable) -> bool:
    """맑고 [말꼬], but the nouns 닭, 흙, 칡, 삵, 기슭 are not."""
    return syllable.onset + syllable.vowel not in ("ㄷㅏ", "ㅌㅏ", "ㅎㅡ", "ㅊㅣ", "ㅅㅏ", "ㅅㅡ")


def _assimilate(left: _Syllable, right: _Syllable, *, linked: bool) -> None:
    coda, onset = left.coda, right.onset
    if coda in _NASAL and onset in "ㄴㅁ":
        left.coda = _NASAL[coda]
    elif coda in _NASAL and onset == "ㄹ":
        left.coda, right.onset = _NASAL[coda], "ㄴ"
    elif coda in ("ㅁ", "ㅇ") and onset == "ㄹ":
        right.onset = "ㄴ"
    elif coda == "ㄹ" and onset == "ㄴ":
        right.onset = "ㄹ"
    elif coda == "ㄴ" and onset == "ㄹ" and linked:
        left.coda = "ㄹ"
