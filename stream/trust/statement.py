"""The sentence of consent: what is to be read aloud, and whether a transcript is it.

Four random words make each sentence new, so that an old recording does not fit: digits in English,
in Chinese words that sound unlike each other. These must be right to the last; the words around
them may be misheard a little, names above all. Knows nothing about audio or speakers.
"""

import re
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from itertools import chain

from selftalk.stream.errors import ConsentError, MisheardError
from selftalk.stream.trust.syllables_zh import difference, syllables

ANSWER_WORDS = 4
HIGHEST_ERROR_RATE = 0.25
"""Of the letters before the digits, in Chinese of all syllables."""

SENTENCES = {
    "en": (
        "My name is {person}, and I agree that my voice is copied for {purpose}."
        " My numbers are {answer}."
    ),
    "zh": "我叫{person}，我同意复制我的声音，用于{purpose}。我的词语是{answer}。",
}
WORDS = {
    "en": tuple("zero one two three four five six seven eight nine".split()),
    # Any two of them differ by two initials or finals and a half; a test counts.
    "zh": tuple(
        "苹果 火车 老虎 月亮 天空 足球 牛奶 飞机 学校 朋友 咖啡 面包 太阳 森林 蝴蝶 钢琴 冬天"
        " 公园 熊猫 雨伞 警察 超市 西瓜 跳舞 河流 树叶"
        " 巧克力 图书馆 向日葵 自行车 米饭 玫瑰".split()
    ),
}
_JOINTS = {"en": ", ", "zh": "、"}
_DIGITS = {str(value): word for value, word in enumerate(WORDS["en"])} | {
    # What recognisers write for single digits, accepted only in the place of the digits.
    "oh": "zero",
    "o": "zero",
    "won": "one",
    "to": "two",
    "too": "two",
    "for": "four",
    "fore": "four",
    "ate": "eight",
}
_ENGLISH_TOKEN = re.compile(r"[0-9]|[a-z']+|[^\W_]")
MOST_MISHEARD = 1.0
"""Of all syllables of the four Chinese words; another word on the list differs by 1.5 at least."""
LEAST_MARGIN = 0.5
"""By which another word must fit worse in its place."""

Answer = tuple[str, ...]


def draw_answer(language: str) -> Answer:
    """Four different words that nobody can foresee.

    Raises:
        ConsentError: there is no sentence in this language.
    """
    _check_language(language)
    return tuple(secrets.SystemRandom().sample(WORDS[language], ANSWER_WORDS))


def sentence_of(person: str, purpose: str, answer: Answer, language: str) -> str:
    """What the owner of the voice has to say.

    Raises:
        ConsentError: there is no sentence in this language, or a name or purpose is missing.
    """
    _check_language(language)
    for what, given in (("name", person), ("purpose", purpose)):
        if not given.strip() or any(character.isdigit() for character in given):
            raise ConsentError(f"consent needs the {what}, written without digits, not '{given}'")
    spoken = _JOINTS[language].join(answer)
    sentence = SENTENCES[language]
    return sentence.format(person=person.strip(), purpose=purpose.strip(), answer=spoken)


def check_transcript(transcript: str, sentence: str, answer: Answer, language: str) -> float:
    """Compare what was understood with the sentence; return the error rate of its words.

    Raises:
        MisheardError: other random words were said, or other words around them.
    """
    rate = _CHECKS[language](transcript, sentence, answer)
    if rate > HIGHEST_ERROR_RATE:
        raise MisheardError(
            f"something else than the sentence was said: «{transcript.strip()}»"
            f" differs from it in {rate:.0%} of the sounds, {HIGHEST_ERROR_RATE:.0%} are allowed"
        )
    return rate


def _check_language(language: str) -> None:
    if language not in SENTENCES:
        known = ", ".join(SENTENCES)
        raise ConsentError(f"there is no sentence of consent in '{language}'; choose from {known}")


def _check_english(transcript: str, sentence: str, answer: Answer) -> float:
    words, said = split_digits(english_tokens(transcript))
    if said != answer:
        raise _misheard(answer, " ".join(said))
    reference = "".join(split_digits(english_tokens(sentence))[0])
    return _edits(reference, "".join(words)) / len(reference)


def _check_chinese(transcript: str, sentence: str, answer: Answer) -> float:
    """By sound; each word must fit better than any other of the list in its place."""
    heard, sounds = syllables(transcript), {word: syllables(word) for word in WORDS["zh"]}

    def unlike(words: Sequence[str]) -> float:
        return difference(heard, [*chain(*map(sounds.__getitem__, words))], at_end=True)

    misheard = unlike(answer)
    others = (
        unlike([*answer[:place], word, *answer[place + 1 :]])
        for place in range(len(answer))
        for word in WORDS["zh"]
        if word != answer[place]
    )
    if misheard > MOST_MISHEARD or min(others) < misheard + LEAST_MARGIN:
        raise _misheard(answer, transcript.strip())
    expected = syllables(sentence)
    return difference(heard, expected) / len(expected)


_CHECKS: dict[str, Callable[[str, str, Answer], float]] = {
    "en": _check_english,
    "zh": _check_chinese,
}


def _misheard(answer: Answer, said: str) -> MisheardError:
    return MisheardError(
        f"the words «{' '.join(answer)}» were not understood («{said or 'nothing'}» was);"
        " say the new sentence clearly to its end"
    )


def english_tokens(text: str) -> list[str]:
    """Words and single digits, in small letters."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _ENGLISH_TOKEN.findall(plain)


def split_digits(tokens: list[str]) -> tuple[list[str], Answer]:
    """The words, and the digits that they end in."""
    digits: list[str] = []
    for token in reversed(tokens):
        digit = token if token in WORDS["en"] else _DIGITS.get(token)
        if digit is None:
            break
        digits.append(digit)
    return tokens[: len(tokens) - len(digits)], tuple(reversed(digits))


def _edits(first: Sequence[str], second: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions between two sequences (Levenshtein)."""
    row = list(range(len(second) + 1))
    for place, left in enumerate(first, start=1):
        above, row[0] = row[0], place
        for column, right in enumerate(second, start=1):
            above, row[column] = (
                row[column],
                min(above + (left != right), row[column] + 1, row[column - 1] + 1),
            )
    return row[-1]
