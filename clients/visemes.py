"""Visemes: how a mouth looks for each phoneme symbol of a voice model.

The table is `web/visemes.json`, which the overlay pages read too. Knows the symbols of English
(ARPAbet), Chinese (pinyin), Japanese (romaji), Korean (jamo) and Cantonese (jyutping), and nothing
about time.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

CANTONESE_PREFIX = "Y"
TONES = tuple("0123456")


class Mouth(NamedTuple):
    """How much a mouth looks as for each vowel, each from 0 to 1; all 0 is closed."""

    a: float = 0.0
    i: float = 0.0
    u: float = 0.0
    e: float = 0.0
    o: float = 0.0

    @property
    def openness(self) -> float:
        """How far the jaw is open: 0 closed, 1 as for "ah"."""
        opening = self.a + 0.35 * self.i + 0.3 * self.u + 0.55 * self.e + 0.7 * self.o
        return min(1.0, opening)

    @property
    def width(self) -> float:
        """How wide the lips are: 0 rounded, 0.5 at rest, 1 spread."""
        spread = 0.5 * (self.i + 0.6 * self.e) - 0.5 * (self.u + 0.7 * self.o)
        return min(1.0, max(0.0, 0.5 + spread))


CLOSED = Mouth()


@dataclass(frozen=True, slots=True)
class Viseme:
    """A mouth, and how firmly it holds against its neighbours: lips must meet in a "p"."""

    mouth: Mouth
    firmness: float


class VisemeTable:
    """Symbols → visemes, one after another."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._shapes = {
            name: Viseme(Mouth(*weights[:5]), weights[5])
            for name, weights in table["shapes"].items()
        }
        self._plain: dict[str, str] = table["plain"]
        self._toned: dict[str, str] = table["toned"]
        self._cantonese: dict[str, dict[str, str]] = table["cantonese"]

    def visemes(self, symbol: str) -> tuple[Viseme, ...]:
        """The visemes of a symbol; none for one that takes over its neighbour's, or is unknown."""
        names = self._names(symbol) or ""
        return tuple(self._shapes[name] for name in names.split())

    def knows(self, symbol: str) -> bool:
        """Whether the table has this symbol."""
        return self._names(symbol) is not None

    def _names(self, symbol: str) -> str | None:
        if symbol in self._plain:
            return self._plain[symbol]
        toned = symbol[-1:] in TONES
        base = symbol[:-1] if toned else symbol
        if toned and base in self._toned:
            return self._toned[base]
        if base.startswith(CANTONESE_PREFIX):
            return self._cantonese_names(base.removeprefix(CANTONESE_PREFIX))
        return None

    def _cantonese_names(self, part: str) -> str | None:
        """An initial, or a final: its longest vowel, then its ending."""
        if part in self._cantonese["initials"]:
            return self._cantonese["initials"][part]
        vowels, endings = self._cantonese["vowels"], self._cantonese["endings"]
        for length in (2, 1, 0):
            vowel, ending = part[:length], part[length:]
            if (vowel in vowels or not vowel) and ending in endings:
                return f"{vowels.get(vowel, '')} {endings[ending]}".strip()
        return None


@cache
def viseme_table() -> VisemeTable:
    """The table that comes with selftalk."""
    file = resources.files("selftalk.clients") / "web" / "visemes.json"
    return VisemeTable(json.loads(file.read_text(encoding="utf-8")))
