"""The sentence of consent: what is to be read aloud, and whether a transcript is it.

Four random digits make each sentence new, so that an old recording does not fit. The digits must be
right to the last; the words around them may be misheard a little, names above all. Knows nothing
about audio or speakers.
"""

import re
import secrets
import unicodedata
from collections.abc import Sequence

from selftalk.stream.errors import ConsentError
from selftalk.stream.text.numbers_zh import digits as chinese_digits
from selftalk.stream.text.traditional_zh import simplified

DIGITS = 4
HIGHEST_ERROR_RATE = 0.25
"""Of the characters before the digits; measured in benchmarks/consent.py."""

SENTENCES = {
    "en": (
        "My name is {person}, and I agree that my voice is copied for {purpose}."
        " My numbers are {digits}."
    ),
    "zh": "我叫{person}，我同意复制我的声音，用于{purpose}。我的数字是{digits}。",
}
_ENGLISH = "zero one two three four five six seven eight nine".split()
_WORDS = {word: str(value) for value, word in enumerate(_ENGLISH)} | {
    # What recognisers write for single digits, accepted only in the place of the digits.
    "oh": "0",
    "o": "0",
    "won": "1",
    "to": "2",
    "too": "2",
    "for": "4",
    "fore": "4",
    "ate": "8",
}
_CHINESE = {character: str(value) for value, character in enumerate("零一二三四五六七八九")} | {
    "〇": "0",
    "幺": "1",
    "两": "2",
}
_TOKEN = re.compile(r"[0-9]|[a-z']+|[\u3400-\u9fff]|[^\W_]")


def draw_digits() -> str:
    """Four different digits that nobody can foresee."""
    return "".join(map(str, secrets.SystemRandom().sample(range(10), DIGITS)))


def sentence_of(person: str, purpose: str, digits: str, language: str) -> str:
    """What the owner of the voice has to say.

    Raises:
        ConsentError: there is no sentence in this language, or a name or purpose is missing.
    """
    if language not in SENTENCES:
        known = ", ".join(SENTENCES)
        raise ConsentError(f"there is no sentence of consent in '{language}'; choose from {known}")
    for what, given in (("name", person), ("purpose", purpose)):
        if not given.strip() or any(character.isdigit() for character in given):
            raise ConsentError(f"consent needs the {what}, written without digits, not '{given}'")
    if language == "zh":
        spoken = "、".join(chinese_digits(digits))
    else:
        spoken = ", ".join(_ENGLISH[int(digit)] for digit in digits)
    return SENTENCES[language].format(person=person.strip(), purpose=purpose.strip(), digits=spoken)


def check_transcript(transcript: str, sentence: str, digits: str) -> float:
    """Compare what was understood with the sentence; return the error rate of its words.

    Raises:
        ConsentError: other digits were said, or other words.
    """
    heard, expected = _tokens(transcript), _tokens(sentence)
    words, said = _split(heard)
    if said != digits:
        raise ConsentError(
            f"the digits {' '.join(digits)} were not understood"
            f" ({' '.join(said) or 'none'} were); say the new sentence clearly to its end"
        )
    reference = "".join(_split(expected)[0])
    rate = _distance(reference, "".join(words)) / len(reference)
    if rate > HIGHEST_ERROR_RATE:
        raise ConsentError(
            f"something else than the sentence was said: «{transcript.strip()}»"
            f" differs from it in {rate:.0%} of the letters, {HIGHEST_ERROR_RATE:.0%} are allowed"
        )
    return rate


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", simplified(text)).casefold().replace("’", "'")
    return _TOKEN.findall(plain)


def _split(tokens: list[str]) -> tuple[list[str], str]:
    """The words, and the digits that they end in."""
    digits: list[str] = []
    for token in reversed(tokens):
        digit = token if token in "0123456789" else _WORDS.get(token) or _CHINESE.get(token)
        if digit is None:
            break
        digits.append(digit)
    return tokens[: len(tokens) - len(digits)], "".join(reversed(digits))


def _distance(first: Sequence[str], second: Sequence[str]) -> int:
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
