"""Self: whom one talks with (persona, voice, language, manner), read from a small TOML file.

Selves of the user (`$SELFTALK_HOME/selves`, else `~/.config/selftalk/selves`) come before the
ones that are shipped. Knows nothing about how a reply is made.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from selftalk.stream.errors import ConfigError
from selftalk.stream.minds.mirror_rules import load_rules
from selftalk.stream.synthesis.styles import STYLES

MAX_FILE_BYTES = 65_536
MAX_TEXT_CHARACTERS = 4_000
SELF_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

REQUIRED_KEYS = ("name", "persona", "style", "greeting")
KEYS = (*REQUIRED_KEYS, "voice", "voice_styles", "language", "temperature", "examples", "openings")
LANGUAGES = ("auto", "en", "zh", "yue", "ja", "ko")

LANGUAGE_NAMES = {"en": "English", "zh": "Chinese", "yue": "Cantonese", "ja": "Japanese"}
LANGUAGE_NAMES["ko"] = "Korean"

SPOKEN_RULES = (
    "You are heard, not read: one to three short spoken sentences, at most forty words. "
    "No lists, no markdown, no emoji, no stage directions. "
    "Do not bring up that you are a language model; if you are sincerely asked, say so."
)
STYLE_RULE = (
    "You may begin a sentence with {} to change how your voice sounds from there on;"
    " only these words in brackets, which nobody hears, and only where the mood changes."
)


@dataclass(frozen=True, slots=True)
class Example:
    """One exchange that shows how a self talks."""

    user: str
    reply: str


@dataclass(frozen=True, slots=True)
class Self:
    """A partner to talk with."""

    name: str
    """As shown and said, such as "Coach"."""
    persona: str
    """Who it is, written to it ("You are …")."""
    style: str
    """How it talks, in one sentence."""
    greeting: Mapping[str, str]
    """What it says first, by language."""
    voice: str = "default"
    voice_styles: tuple[str, ...] = ()
    """Which styles of the voice it may ask for where a sentence begins."""
    language: str = "auto"
    """What it speaks; "auto" is the language of the user."""
    temperature: float | None = None
    """Of the sampling; None for the one in the settings."""
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    """Exchanges by language, from which a small model learns the role better than by rules."""

    openings: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """First sentences by language and topic of the mirror, said at once."""

    def greeting_in(self, language: str) -> str:
        """The greeting in a language, else in English, else in any."""
        chosen = language if self.language == "auto" else self.language
        fallback = self.greeting.get("en") or next(iter(self.greeting.values()))
        return self.greeting.get(chosen) or fallback

    def examples_in(self, language: str) -> tuple[Example, ...]:
        """The example exchanges in a language, else in English, else none."""
        return self.examples.get(language) or self.examples.get("en", ())

    def instructions(self, examples_in: str = "") -> str:
        """The system prompt for a model that can follow one.

        Args:
            examples_in: the language of example exchanges in it; none if empty.
        """
        if self.language == "auto":
            language = "Answer in the language the user speaks."
        else:
            language = f"Answer in {LANGUAGE_NAMES[self.language]}."
        parts = [self.persona, self.style, f"{SPOKEN_RULES} {language}"]
        if self.voice_styles:
            parts.append(STYLE_RULE.format(" or ".join(f"[{one}]" for one in self.voice_styles)))
        examples = self.examples_in(examples_in) if examples_in else ()
        if examples:
            shown = [f"User: {example.user}\nYou: {example.reply}" for example in examples]
            parts.append("This is how you talk:\n" + "\n".join(shown))
        return "\n\n".join(part.strip() for part in parts)


def user_folder() -> Path:
    """The folder of the user's own selves; not created by asking for it."""
    chosen = os.environ.get("SELFTALK_HOME")
    if chosen:
        return Path(chosen).expanduser() / "selves"
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "selftalk" / "selves"


def self_names() -> list[str]:
    """The names that `load_self` knows, the user's own and the shipped ones."""
    return sorted(_user_files().keys() | _shipped_files().keys())


def load_self(name: str | Path) -> Self:
    """Load a self by its name, or by the path of its TOML file.

    Raises:
        ConfigError: there is no such self, or its file is damaged or has a wrong key.
    """
    if isinstance(name, Path) or name.endswith(".toml"):
        return _read(Path(name))
    if SELF_NAME.fullmatch(name):
        if path := _user_files().get(name):
            return _read(path)
        if shipped := _shipped_files().get(name):
            return parse_self(shipped, f"self '{name}'")
    raise ConfigError(
        f"there is no self '{name[:60]}'; known are {_listed(self_names())}, "
        f"and your own may lie in {user_folder()}"
    )


def parse_self(text: str, where: str) -> Self:
    """Read the TOML text of a self.

    Raises:
        ConfigError: it is not TOML, or a key is unknown, missing, or of the wrong type.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}") from error
    _check_keys(table, KEYS, REQUIRED_KEYS, where)
    return Self(
        name=_text(table["name"], "name", where),
        persona=_text(table["persona"], "persona", where),
        style=_text(table["style"], "style", where),
        greeting=_greeting(table["greeting"], where),
        voice=_text(table.get("voice", "default"), "voice", where),
        voice_styles=_voice_styles(table.get("voice_styles", []), where),
        language=_one_of(table.get("language", "auto"), LANGUAGES, "language", where),
        temperature=_temperature(table.get("temperature"), where),
        examples=_examples(table.get("examples", {}), where),
        openings=_openings(table.get("openings", {}), where),
    )


def _user_files() -> dict[str, Path]:
    folder = user_folder()
    files = folder.glob("*.toml") if folder.is_dir() else ()
    return {path.stem: path for path in files if SELF_NAME.fullmatch(path.stem)}


def _shipped_files() -> dict[str, str]:
    folder = resources.files("selftalk.configs") / "selves"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {entry.name.removesuffix(".toml"): entry.read_text("utf-8") for entry in files}


def _read(path: Path) -> Self:
    where = f"self file '{path}'"
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{where} is larger than {MAX_FILE_BYTES} bytes")
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} is not UTF-8 text") from error
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}") from error
    return parse_self(text, where)


def _check_keys(
    table: Mapping[str, Any], allowed: Iterable[str], required: Iterable[str], where: str
) -> None:
    unknown = sorted(table.keys() - set(allowed))
    if unknown:
        raise ConfigError(
            f"{where} has the unknown key '{unknown[0]}'; it may have {_listed(allowed)}"
        )
    missing = [key for key in required if key not in table]
    if missing:
        raise ConfigError(f"{where} lacks the key '{missing[0]}'; it needs {_listed(required)}")


def _text(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT_CHARACTERS:
        raise ConfigError(
            f"'{key}' of {where} must be a text of 1 to {MAX_TEXT_CHARACTERS} characters"
        )
    return value.strip()


def _one_of(value: Any, allowed: tuple[str, ...], key: str, where: str) -> str:
    if value not in allowed:
        raise ConfigError(f"'{key}' of {where} is {value!r}; it may be {_listed(allowed)}")
    return str(value)


def _voice_styles(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"'voice_styles' of {where} must be a list of {_listed(STYLES)}")
    return tuple(_one_of(style, STYLES, "voice_styles", where) for style in value)


def _temperature(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise ConfigError(f"'temperature' of {where} is {value!r}; it may be 0 to 2")
    return float(value)


def _by_language(table: Any, key: str, where: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"'{key}' of {where} must be a table by language, such as [{key}]")
    _check_keys(table, LANGUAGES[1:], (), f"'{key}' of {where}")
    return table


def _greeting(table: Any, where: str) -> Mapping[str, str]:
    texts = _by_language(table, "greeting", where)
    if not texts:
        raise ConfigError(f"'greeting' of {where} is empty; it needs at least one language")
    return MappingProxyType({key: _text(text, "greeting", where) for key, text in texts.items()})


def _examples(table: Any, where: str) -> Mapping[str, tuple[Example, ...]]:
    by_language = _by_language(table, "examples", where)
    return MappingProxyType(
        {
            key: tuple(_example(entry, where) for entry in _entries(entries, where))
            for key, entries in by_language.items()
        }
    )


def _openings(table: Any, where: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    by_language = _by_language(table, "openings", where)
    return MappingProxyType(
        {key: _topics(topics, key, where) for key, topics in by_language.items()}
    )


def _topics(table: Any, language: str, where: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        raise ConfigError(f"'openings' of {where} must be written as [openings.en] tables")
    known = [rule.topic for rule in load_rules(language).rules]
    _check_keys(table, known, (), f"'openings.{language}' of {where}")
    return {topic: tuple(_texts(texts, topic, where)) for topic, texts in table.items()}


def _texts(texts: Any, key: str, where: str) -> list[str]:
    if not isinstance(texts, list):
        raise ConfigError(f"'{key}' of {where} must be a list of texts")
    return [_text(text, key, where) for text in texts]


def _entries(entries: Any, where: str) -> list[Any]:
    if not isinstance(entries, list):
        raise ConfigError(f"'examples' of {where} must be written as [[examples.en]] entries")
    return entries


def _example(entry: Any, where: str) -> Example:
    place = f"an example of {where}"
    if not isinstance(entry, dict):
        raise ConfigError(f"{place} must have the keys user and reply")
    _check_keys(entry, ("user", "reply"), ("user", "reply"), place)
    return Example(_text(entry["user"], "user", place), _text(entry["reply"], "reply", place))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
