"""Texts: the sentences nano is trained on, from the files in configs/nano-text.

    LANGUAGE_*.txt            sentences written for this project, one per line
    LANGUAGE_templates.toml   lines with {slots}, filled with numbers, times, names …
    heldout_*.txt             never rendered for training, only for evaluation

Beside these, nonsense of rare words (`word_lines.py`).

Knows nothing about phonemes or speakers.
"""

import re
import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import numpy as np

from selftalk.models.training.templates import expand
from selftalk.models.training.word_lines import word_lines

HELD_OUT = ("en", "zh", "replies", "replies_zh", "dev_en", "dev_zh", "dev_replies")
TEMPLATE_LINES = 6000
TEMPLATE_SHARE = 0.3
"""Of the lines that are drawn; written lines sound richer but hold fewer numbers and names."""
JOINED_SHARE = 0.15
"""Of the lines two sentences are spoken as one: a reply is rarely a single sentence."""


def held_out(name: str) -> list[str]:
    """The lines of one held-out set, one of `HELD_OUT`."""
    return _read(_folder() / f"heldout_{name}.txt")


@cache
def written_lines(language: str) -> tuple[str, ...]:
    """The different lines of a language that were written one by one, in a fixed order."""
    files = sorted(_folder().iterdir(), key=lambda file: file.name)
    return _different(
        line
        for file in files
        if file.name.startswith(f"{language}_") and file.name.endswith(".txt")
        for line in _read(file)
    )


@cache
def template_lines(language: str) -> tuple[str, ...]:
    """The different lines that come from templates; none for a language without templates."""
    file = _folder() / f"{language}_templates.toml"
    if not file.is_file():
        return ()
    source = tomllib.loads(file.read_text(encoding="utf-8"))
    return _different(expand(source["templates"], source["slots"], language, TEMPLATE_LINES))


@cache
def usual_words(language: str) -> tuple[str, ...]:
    """The different words of the written lines, in the order of the alphabet; English only."""
    if language != "en":
        return ()
    words = (re.findall("[a-z]{3,}", line.lower()) for line in written_lines(language))
    return tuple(sorted({word for line in words for word in line}))


def training_texts(
    shares: Mapping[str, float],
    seed: int,
    spoken: Container[str] = (),
    words_share: float = 0.0,
) -> Iterator[tuple[str, str]]:
    """Draw (language, text) without end; a line comes again only after all of its kind.

    Args:
        shares: language -> its weight among the lines.
        seed: the same seed gives the same texts in the same order.
        spoken: lines that were drawn earlier, so that their turn comes last.
        words_share: how many of the lines are nonsense of rare words.
    """
    random = np.random.default_rng(seed)
    languages = sorted(shares)
    weights = np.array([shares[language] for language in languages])
    decks = {language: _drawn(language, seed, spoken, words_share) for language in languages}
    while True:
        language = str(random.choice(languages, p=weights / weights.sum()))
        text = next(decks[language])
        if random.random() < JOINED_SHARE:
            text = join(text, next(decks[language]), language)
        yield language, text


def join(first: str, second: str, language: str) -> str:
    """Put one line after another, as the language writes it."""
    return first + ("" if language in ("zh", "ja") else " ") + second


def _drawn(language: str, seed: int, spoken: Container[str], words_share: float) -> Iterator[str]:
    random = np.random.default_rng([seed, *language.encode()])
    written = _shuffled(written_lines(language), random, spoken)
    templates = _shuffled(template_lines(language), random, spoken)
    words = word_lines(language, seed, usual_words(language))
    while True:
        if words_share and random.random() < words_share:
            yield next(words)
            continue
        yield next(templates if random.random() < TEMPLATE_SHARE else written)


def _shuffled(
    lines: Sequence[str], random: np.random.Generator, spoken: Container[str]
) -> Iterator[str]:
    assert lines, "no texts of this kind"
    fresh = [line for line in lines if line not in spoken]
    yield from (fresh[index] for index in random.permutation(len(fresh)))
    while True:
        yield from (lines[index] for index in random.permutation(len(lines)))


def _different(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines in their order, without repetitions and without what is held out."""
    kept_out = {line for name in HELD_OUT for line in held_out(name)}
    return tuple(dict.fromkeys(line for line in lines if line not in kept_out))


def _folder() -> Traversable:
    return resources.files("selftalk.configs") / "nano-text"


def _read(file: Traversable) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]
