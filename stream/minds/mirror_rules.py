"""The rules of the mirror: patterns of what people say, and what a good listener asks back.

Reads `configs/mirror/*.toml`. Knows nothing about conversations.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

RULED_LANGUAGES = ("en", "zh")
MACRO = re.compile(r"<([A-Z]+)>")


@dataclass(frozen=True, slots=True)
class Rule:
    """What to answer when somebody says something of this kind."""

    topic: str
    patterns: tuple[re.Pattern[str], ...]
    questions: tuple[str, ...]
    openers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a language, most telling first, and what to say when none applies."""

    rules: tuple[Rule, ...]
    questions: tuple[str, ...]
    memory: tuple[str, ...] = ()
    echoes: tuple[str, ...] = ()


@cache
def load_rules(language: str) -> Rules:
    """Return the rules of a language, or what works in any."""
    if language not in RULED_LANGUAGES:
        others = _read("other")
        return _fallback(others.get(language, others["any"]), ())
    table = _read(language)
    macros = table["macros"]
    rules = tuple(_rule(entry, macros) for entry in table["rules"])
    return _fallback(table["fallback"], rules)


def _read(name: str) -> dict[str, Any]:
    text = (resources.files("selftalk.configs") / "mirror" / f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _fallback(table: dict[str, list[str]], rules: tuple[Rule, ...]) -> Rules:
    lists = {key: tuple(table.get(key, ())) for key in ("questions", "memory", "echoes")}
    return Rules(rules, **lists)


def _rule(entry: dict[str, Any], macros: dict[str, str]) -> Rule:
    patterns = [MACRO.sub(lambda name: macros[name[1]], text) for text in entry["patterns"]]
    return Rule(
        entry["topic"],
        tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns),
        tuple(entry["questions"]),
        tuple(entry.get("openers", ())),
    )
