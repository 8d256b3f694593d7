"""Prompts: the sentences that people read aloud at the microphone, with the mood to read them in.

Knows nothing about recording.
"""

import tomllib
from dataclasses import dataclass
from importlib import resources

from selftalk.stream.errors import ConfigError
from selftalk.stream.synthesis.styles import STYLES, Style

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One sentence, or a few short ones."""

    text: str
    style: Style


def prompts_of(language: str) -> tuple[Prompt, ...]:
    """The script of a language: calm sentences, then lively, then tired ones.

    Raises:
        ConfigError: there is none.
    """
    if language not in LANGUAGES:
        raise ConfigError(
            f"there is nothing to read aloud in '{language}', only in {', '.join(LANGUAGES)};"
            " record files instead: selftalk record NAME FILE"
        )
    script = resources.files("selftalk.configs") / "prompts" / f"{language}.toml"
    moods = tomllib.loads(script.read_text("utf-8"))
    return tuple(Prompt(text, style) for style in STYLES for text in moods[style])
