"""Word lines: nonsense of real words, so that rare words are met before anyone says them.

Written sentences repeat the common words; a small model then stumbles over names and whatever else
is rare, because it never met those sounds in that order. These lines are made of what a dictionary
lists, joined by the little words of the language: no meaning, but every neighbourhood of sounds.
Knows nothing about which lines are held out.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from selftalk.stream.text.g2p_en import lexicon
from selftalk.stream.text.g2p_zh import common_words

Random = np.random.Generator

_ENGLISH_JOINTS = (
    "and", "or", "of the", "in a", "with", "from", "without", "is a", "was the", "near",
    "to", "for my", "under", "after", "like", "not", "at", "by the", "has", "wants",
)  # fmt: skip
_ENGLISH_STARTS = ("The", "A", "This", "Her", "No", "My", "Our", "That", "Some", "")
_CHINESE_JOINTS = ("和", "的", "在", "是", "有", "跟", "不", "了", "也", "到", "", "", "")
FEWEST_WORDS, MOST_WORDS = 3, 6
"""Of the dictionary in a line, the joints not counted."""
_USUAL_SHARE = 0.5
_COMMA_SHARE, _QUESTION_SHARE = 0.15, 0.1
_LONGEST_WORD = 14
_MOST_COMMON_CHINESE = 40_000


def word_lines(language: str, seed: int, usual: Sequence[str] = ()) -> Iterator[str]:
    """Draw lines without end; the same seed gives the same lines. English and Chinese only.

    Args:
        language: `en` or `zh`.
        seed: of the draws.
        usual: words of which every other one is taken, if there are any.
    """
    random = np.random.default_rng([seed, *language.encode()])
    rare, line = (
        (_chinese_words(), _chinese_line) if language == "zh" else (_english_words(), _english_line)
    )
    while True:
        count = int(random.integers(FEWEST_WORDS, MOST_WORDS + 1))
        usually = random.random(count) < _USUAL_SHARE
        yield line([_one(usual if usual and u else rare, random) for u in usually], random)


@cache
def _english_words() -> tuple[str, ...]:
    words = (word for word in lexicon() if word.isalpha() and word.isascii())
    return tuple(sorted(word for word in words if 3 < len(word) <= _LONGEST_WORD))


@cache
def _chinese_words() -> tuple[str, ...]:
    return tuple(common_words(_MOST_COMMON_CHINESE))


def _english_line(words: Sequence[str], random: Random) -> str:
    line = f"{_one(_ENGLISH_STARTS, random)} {words[0]}".strip()
    for word in words[1:]:
        comma = "," if random.random() < _COMMA_SHARE else ""
        line += f"{comma} {_one(_ENGLISH_JOINTS, random)} {word}"
    return line[0].upper() + line[1:] + _mark("?", ".", random)


def _chinese_line(words: Sequence[str], random: Random) -> str:
    line = words[0]
    for word in words[1:]:
        joint = "," if random.random() < _COMMA_SHARE else _one(_CHINESE_JOINTS, random)
        line += joint + word
    return line + _mark("?", "。", random)


def _mark(question: str, statement: str, random: Random) -> str:
    return question if random.random() < _QUESTION_SHARE else statement


def _one(choices: Sequence[str], random: Random) -> str:
    return choices[int(random.integers(len(choices)))]
