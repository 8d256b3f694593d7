"""Korean → the letters as they sound: liaison, assimilation, tensing, aspiration.

The rules are those of the standard pronunciation; what only a dictionary can know stands in a short
list of words. Every syllable keeps its (silent) ㅇ, compound vowels are written in two parts and a
space is ``空``, as in the official symbols. Knows nothing about other languages inside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selftalk.stream.normalize_ko import Written, normalize
from selftalk.stream.phonemes import Spoken
from selftalk.stream.symbols import KOREAN_SPACE

_ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODAS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_VOWEL_PARTS = {
    "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ",
    "ㅑ": "ㅣㅏ", "ㅒ": "ㅣㅐ", "ㅕ": "ㅣㅓ", "ㅖ": "ㅣㅔ", "ㅛ": "ㅣㅗ", "ㅠ": "ㅣㅜ",
}  # fmt: skip
_SPLIT_CODAS = {
    "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ",
    "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip
# What a coda sounds like when nothing takes it over.
_CODA_SOUNDS = {
    **dict.fromkeys("ㄱㄲㅋㄳㄺ", "ㄱ"), **dict.fromkeys("ㄷㅅㅆㅈㅊㅌㅎ", "ㄷ"),
    **dict.fromkeys("ㅂㅍㅄㄿ", "ㅂ"), **dict.fromkeys("ㄹㄼㄽㄾㅀ", "ㄹ"), **dict.fromkeys("ㄴㄵㄶ", "ㄴ"),
    **dict.fromkeys("ㅁㄻ", "ㅁ"), "ㅇ": "ㅇ", "": "",
}  # fmt: skip
_TENSE = {"ㄱ": "ㄲ", "ㄷ": "ㄸ", "ㅂ": "ㅃ", "ㅅ": "ㅆ", "ㅈ": "ㅉ"}
_ASPIRATED = {"ㄱ": "ㅋ", "ㄷ": "ㅌ", "ㅂ": "ㅍ", "ㅈ": "ㅊ"}
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}
_AFTER_FUTURE = re.compile(
    r"(?:것|거(?=예|야|지|라|든|면|니|나|는|도|를|만|다|에|[ ]|$)|건|걸|게|겁|수(?=있|없|가|도|는|밖|[ ]|$)"
    r"|데(?=가|를|도|에|[ ]|$)|줄|듯|바(?=가|를|는|[ ])|적(?=이|도))"
)
_FUTURE_ENDINGS = re.compile(r"(?<!말)(?:게(?=요|[ ]|$)|걸(?=요|[ ]|$)|수록|지(?=도[ ]?모|[ ]모))")

# Only a dictionary knows these (ㄴ inserted, tensed, or cut between two words): spelled as said.
_SAID = {
    "갈등": "갈뜽", "강가": "강까", "결단력": "결딴녁", "결심": "결씸", "결정": "결쩡", "결제": "결쩨", "공권력": "공꿘녁",
    "관점": "관쩜", "글자": "글짜", "길가": "길까", "김밥": "김빱", "깻잎": "깬닙", "꽃잎": "꼰닙", "나뭇잎": "나문닙",
    "내과": "내꽈", "눈빛": "눈삗", "눈사람": "눈싸람", "단점": "단쩜", "담요": "담뇨", "대가": "대까", "두통약": "두통냑",
    "등불": "등뿔", "디귿이": "디그시", "맛없": "마덦", "멋없": "머덦", "맨입": "맨닙", "문법": "문뻡", "문자": "문짜",
    "물가": "물까", "물고기": "물꼬기", "물질": "물찔", "밀접": "밀쩝", "발가락": "발까락", "발달": "발딸", "발생": "발쌩",
    "발전": "발쩐", "밤길": "밤낄", "보름달": "보름딸", "봄비": "봄삐", "부산역": "부산녁", "비빔밥": "비빔빱", "빵집": "빵찝",
    "사건": "사껀", "산길": "산낄", "상견례": "상견녜", "색연필": "생년필", "생산량": "생산냥", "서울역": "서울력", "설득": "설뜩",
    "설정": "설쩡", "성격": "성껵", "솜이불": "솜니불", "손가락": "손까락", "술집": "술찝", "식용유": "시굥뉴", "실수": "실쑤",
    "실시": "실씨", "실제": "실쩨", "아침밥": "아침빱", "안과": "안꽈", "안간힘": "안깐힘", "여권": "여꿘", "열심": "열씸",
    "열정": "열쩡", "오늘밤": "오늘빰", "용돈": "용똔", "음운론": "으문논", "의견란": "의견난", "인기": "인끼", "일상": "일쌍",
    "일시": "일씨", "일정": "일쩡", "일주일": "일쭈일", "일자": "일짜", "입원료": "이붠뇨", "장점": "장쩜", "절대": "절때",
    "조건": "조껀", "지하철역": "지하철력", "첫인상": "처딘상", "초점": "초쩜", "출신": "출씬", "출장": "출짱", "치과": "치꽈",
    "판단력": "판단녁", "팔십": "팔씹", "칠십": "칠씹", "필수": "필쑤", "한여름": "한녀름", "한자": "한짜", "할일": "할릴",
    "헛웃음": "허두슴", "효과": "효꽈", "활동": "활똥", "강남역": "강남녁", "신촌역": "신촌녁", "평가": "평까", "십육": "심뉵",
    "백육": "뱅뉵", "천육": "천뉵", "만육": "만뉵", "갈증": "갈쯩", "팔자": "팔짜", "별장": "별짱", "밀수": "밀쑤",
    "불법": "불뻡", "헌법": "헌뻡", "물병": "물뼝", "술병": "술뼝", "눈동자": "눈똥자", "안방": "안빵", "밀가루": "밀까루",
    "글귀": "글뀌", "팔 개": "팔 깨", "열 개": "열 깨", "여덟 개": "여덜 깨", "십 리": "심 니", "꽃 위": "꼬 뒤",
    "못 와": "모 돠", "못 오": "모 도", "못 알": "모 달", "못 입": "몬 닙", "무슨 일": "무슨 닐", "할 일": "할 릴",
    "한 일": "한 닐", "볼 일": "볼 릴",
}  # fmt: skip
# Verb stems on ㄴ or ㅁ whose endings are tensed: 신고 [신꼬], 남지 [남찌].
_TENSING_STEMS = re.compile(
    r"((?:남|넘|숨|굶|닮|젊|삶|옮|껴안|끌어안|머금|다듬|더듬)(?=[고지다기던게습])|신(?=[고는다]|던)"
    r"|(?<![가-힣])(?:참(?=[지다습던])|담(?=[고다습던])|심(?=[고다습던])|감(?=[고다습])))"
    r"(고(?=[ ]|$|있|싶|나|는)|지(?=[ ]|$|만|요|는|도|않|못)|다(?=[ ]|$|가)|습|기(?=[ ]|$|도|는|로|에)"
    r"|던|게(?=[ ]|$))"
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
    spoken: list[Spoken] = []
    phrase: list[Written] = []
    for piece in [*normalize(text), Written("", "")]:
        if piece.written:
            phrase.append(piece)
            continue
        spoken += _speak_phrase(phrase)
        phrase = []
        if piece.spoken:
            spoken.append(Spoken("", (piece.spoken,)))
    return spoken


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
    text = _SAID_WORDS.sub(lambda match: _SAID[match.group()], text)
    text = _TENSING_STEMS.sub(lambda match: match[1] + _tensed(match[2]), text)
    syllables = [
        _parse(text, at, owners[at]) for at in range(len(text)) if not text[at].isspace()
    ]
    for left, right in zip(syllables, syllables[1:], strict=False):
        _meet(left, right)
    if syllables:
        syllables[-1].coda = _CODA_SOUNDS[syllables[-1].coda]
    return syllables


_SAID_WORDS = re.compile("|".join(sorted(map(re.escape, _SAID), key=len, reverse=True)))


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
        return _Syllable(char if char in _ONSETS else char[:0] or "ㅇ", "ㅡ", "", word, starts)
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
        right.onset = "ㄲ"
    elif left.coda == "ㄼ" and (left.onset, left.vowel) == ("ㅂ", "ㅏ"):  # 밟다
        left.coda = "ㅂ"
        right.onset = _TENSE[right.onset]
    elif _CODA_SOUNDS[left.coda] in _NASAL or (
        linked and (left.coda in "ㄵㄾ" or (left.coda == "ㄼ" and left.vowel == "ㅓ" and left.onset != "ㄷ"))
        and left.coda
    ):
        right.onset = _TENSE[right.onset]
    elif left.coda == "ㄹ" and right.after_future:
        right.onset = _TENSE[right.onset]


def _is_verb_on_lg(syllable: _Syllable) -> bool:
    """맑고 [말꼬], but 닭과 [닥꽈]."""
    return (syllable.onset, syllable.vowel) not in {
        ("ㄷ", "ㅏ"), ("ㅌ", "ㅏ"), ("ㅎ", "ㅡ"), ("ㅊ", "ㅣ"), ("ㅅ", "ㅏ"), ("ㅅ", "ㅡ"),
    }  # fmt: skip


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
