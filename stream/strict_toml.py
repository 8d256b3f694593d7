"""Strict settings: TOML tables → frozen dataclasses, and one sentence for each mistake.

Knows the shapes of dataclasses and msgspec structs, and nothing of what the settings mean.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from selftalk.stream.errors import ConfigError

Section = TypeVar("Section")
Tables = Mapping[str, Mapping[str, Any]]

LONGEST_FILE_BYTES = 1_000_000
_TOML_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def read_tables(text: str, where: str) -> Tables:
    """Parse TOML made of tables of settings.

    Raises:
        ConfigError: it is no TOML, or has a setting outside of all tables.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}") from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: setting '{name}' stands outside of a [table]")
    return tables


def read_file(path: Path) -> Tables:
    """Read a TOML file made of tables of settings.

    Raises:
        ConfigError: it cannot be read, is too large, or is no such file.
    """
    try:
        if path.stat().st_size > LONGEST_FILE_BYTES:
            raise ConfigError(f"'{path}' is too large for a file of settings")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"'{path}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"'{path}' is not UTF-8 text") from error
    return read_tables(text, f"'{path}'")


def read_override(assignment: str) -> Tables:
    """Parse `table.key=value` from a command line; a value that is no TOML is text.

    Raises:
        ConfigError: it has another form.
    """
    place, equals, text = assignment.partition("=")
    table, dot, key = place.strip().partition(".")
    if not (equals and dot and table and key):
        raise ConfigError(f"'{assignment}' is not of the form table.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    return {table: {key: value}}


def merge(*layers: Tables) -> dict[str, dict[str, Any]]:
    """Lay tables over each other: of a setting that is given twice, the later counts."""
    merged: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for name, table in layer.items():
            merged.setdefault(name, {}).update(table)
    return merged


def check_names(tables: Tables, sections: Mapping[str, type], where: str) -> None:
    """Refuse tables and keys that do not exist.

    Raises:
        ConfigError: names the wrong one, its place, and those that exist.
    """
    for name, table in tables.items():
        if name not in sections:
            raise ConfigError(_unknown(f"table [{name}] in {where}", name, list(sections)))
        keys = setting_types(sections[name])
        for key in table:
            if key not in keys:
                raise ConfigError(_unknown(f"key '{key}' in [{name}] of {where}", key, list(keys)))


def build(section: type[Section], table: Mapping[str, Any], name: str) -> Section:
    """Make a section from its table; keys that are not there keep their defaults.

    Raises:
        ConfigError: a value has the wrong type or is out of range, or they contradict each other.
    """
    types = setting_types(section)
    values = {}
    for key, value in table.items():
        try:
            values[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError as error:
            allowed = describe(types[key])
            raise ConfigError(f"{name}.{key} is {_shown(value)}; it must be {allowed}") from error
    return section(**values)


def setting_types(section: type) -> dict[str, Any]:
    """The settings of a section and their types, in order."""
    hints = get_type_hints(section, include_extras=True)
    if dataclasses.is_dataclass(section):
        return {field.name: hints[field.name] for field in dataclasses.fields(section)}
    return {field.name: hints[field.name] for field in msgspec.structs.fields(section)}


def describe(hint: Any) -> str:
    """What a setting of this type may be, in words."""
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(f'"{value}"' for value in get_args(hint))
    if get_origin(hint) is Annotated:
        kind, *limits = get_args(hint)
        return describe(kind) + "".join(map(_range_of, limits))
    return _TOML_NAMES.get(hint, str(hint))


def _range_of(limits: msgspec.Meta) -> str:
    if limits.ge is not None and limits.le is not None:
        return f" from {limits.ge:g} to {limits.le:g}"
    if limits.ge is not None:
        return f" of at least {limits.ge:g}"
    return ""


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    return f"unknown {what}{hint} known: {', '.join(known)}"
