"""Held-out texts: no training ever sees them.

en, zh      sentences with the difficulties of everyday text: names, numbers, rare words
replies     replies as they are common in conversation, in English: 100 of one to three words,
            then 100 of four to eight
replies_zh  and 100 in Chinese
dev_en      what is tried out is chosen by these three, so that the other sets stay unseen
dev_zh      until a choice is made; the first two are written like the training lines,
dev_replies the third has replies of one to three words
"""

from dataclasses import dataclass
from importlib import resources

from selftalk.stream.errors import ConfigError

SETS = ("en", "zh", "replies", "replies_zh", "dev_en", "dev_zh", "dev_replies")


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
