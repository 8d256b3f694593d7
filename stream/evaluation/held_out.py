"""Held-out texts: no training ever sees them.

en, zh      sentences with the difficulties of everyday text: names, numbers, rare words
replies     replies of one to eight words, as they are common in conversation, in English
replies_zh  and in Chinese
dev_en      written like the training lines; what is tried out is chosen by these two,
dev_zh      so that the other sets stay unseen until a choice is made
"""

from dataclasses import dataclass
from importlib import resources

from selftalk.stream.errors import ConfigError

SETS = ("en", "zh", "replies", "replies_zh", "dev_en", "dev_zh")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One text to be spoken."""

    text: str
    language: str


def held_out(name: str, count: int | None = None) -> list[Sentence]:
    """The sentences of a set, or the first of them.

    Raises:
        ConfigError: there is no set of this name, or it is smaller than `count`.
    """
    if name not in SETS:
        raise ConfigError(f"there is no set '{name}'; known: {', '.join(SETS)}")
    text = (resources.files("selftalk.configs") / "nano-text" / f"heldout_{name}.txt").read_text(
        "utf-8"
    )
    lines = text.splitlines()
    if count is not None and not 1 <= count <= len(lines):
        raise ConfigError(f"the set '{name}' has {len(lines)} sentences; {count} were asked for")
    return [Sentence(line, "zh" if name.endswith("zh") else "en") for line in lines[:count]]
