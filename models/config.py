"""Tables of a TOML file → configuration dataclasses, strictly.

Knows nothing about files or about what the fields mean.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

Config = TypeVar("Config")


def from_table(kind: type[Config], table: Mapping[str, Any]) -> Config:
    """Make a configuration; lists become tuples, tables become nested configurations.

    Raises:
        ValueError: a key is unknown or missing.
    """
    assert dataclasses.is_dataclass(kind), kind
    fields = {each.name: each for each in dataclasses.fields(kind)}
    if unknown := sorted(table.keys() - fields.keys()):
        raise ValueError(
            f"unknown key '{unknown[0]}' in {_named(kind)}; known: {', '.join(fields)}"
        )
    required = {name for name, each in fields.items() if _is_required(each)}
    if missing := sorted(required - table.keys()):
        raise ValueError(f"{_named(kind)} lacks '{missing[0]}'")
    hints = get_type_hints(kind)
    values = {name: _value(hints[name], entry) for name, entry in table.items()}
    return kind(**values)


def _value(hint: Any, entry: Any) -> Any:
    if isinstance(entry, Mapping) and dataclasses.is_dataclass(hint):
        return from_table(hint, entry)  # type: ignore[arg-type]
    if isinstance(entry, list):
        return tuple(_value(None, each) for each in entry)
    return entry


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    nothing = dataclasses.MISSING
    return field.default is nothing and field.default_factory is nothing


def _named(kind: type[Any]) -> str:
    return kind.__name__
