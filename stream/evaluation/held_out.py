"""Held-out texts: no training ever sees them.

en, zh      sentences with the difficulties of everyday text: names, numbers, rare words
replies     English replies of one to eight words, as they are common in conversation
"""

from dataclasses import dataclass
from importlib import resources

from selftalk.stream.errors import ConfigError

_FILES = {"en": "heldout_en.txt", "zh": "heldout_zh.txt", "replies": "heldout_replies.txt"}
SETS = tuple(_FILES)


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
    if name not in _FILES:
        raise ConfigError(f"there is no set '{name}'; known: {', '.join(SETS)}")
    text = (resources.files("selftalk.configs") / "nano-text" / _FILES[name]).read_text("utf-8")
    lines = text.splitlines()
    if count is not None and not 1 <= count <= len(lines):
        raise ConfigError(f"the set '{name}' has {len(lines)} sentences; {count} were asked for")
    return [Sentence(line, "zh" if name == "zh" else "en") for line in lines[:count]]
