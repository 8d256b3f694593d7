"""A user's own pronunciations: a TOML file of ``word = "symbols"``.

```toml
Wojciech = "V OY1 CH EH2 K"     # ARPAbet
"单于" = "chan2 yu2"             # pinyin with tones
"佢哋" = "Yk Yeoi5 Yd Yei6"      # or any symbols of the official table
```

Knows nothing about languages' rules; a word listed here is said so in every language.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from selftalk.stream.errors import ConfigError
from selftalk.stream.text.phonemes import Spoken
from selftalk.stream.text.pinyin import syllable_symbols
from selftalk.stream.text.symbols import SYMBOLS_V2

_KNOWN = frozenset(SYMBOLS_V2)


@dataclass(frozen=True, slots=True)
class Pronunciations:
    """Words and the symbols that they are said with."""

    symbols_of: Mapping[str, tuple[str, ...]]
    """By the word in lower case."""

    @classmethod
    def load(cls, path: Path) -> "Pronunciations":
        """Read a TOML file; every mistake is one clear sentence."""
        try:
            entries = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"cannot read the pronunciations in {path}: {error}") from error
        return cls.parse(entries, where=str(path))

    @classmethod
    def parse(
        cls, entries: Mapping[str, object], where: str = "pronunciations"
    ) -> "Pronunciations":
        """Check words and their ARPAbet, pinyin or official symbols."""
        symbols_of = {}
        for word, said in entries.items():
            if not isinstance(said, str) or not word.strip():
                raise ConfigError(f'{where}: expected word = "symbols", got {word!r} = {said!r}')
            symbols_of[word.strip().lower()] = _parse(said, word, where)
        return cls(symbols_of)

    def split(self, text: str) -> Iterator[str | Spoken]:
        """Cut a text at the listed words; they come ready to be spoken, the rest as text."""
        if not self.symbols_of:
            yield text
            return
        end = 0
        for match in self._pattern().finditer(text):
            yield text[end : match.start()]
            yield Spoken(match.group(), self.symbols_of[match.group().lower()])
            end = match.end()
        yield text[end:]

    def _pattern(self) -> re.Pattern[str]:
        words = sorted(self.symbols_of, key=len, reverse=True)
        return re.compile("|".join(map(_whole_word, words)), re.IGNORECASE)


def _whole_word(word: str) -> str:
    """Latin words stand alone; Chinese ones may stand anywhere."""
    before = r"(?<![A-Za-z0-9])" if word[0].isascii() else ""
    after = r"(?![A-Za-z0-9])" if word[-1].isascii() else ""
    return f"{before}{re.escape(word)}{after}"


def _parse(said: str, word: str, where: str) -> tuple[str, ...]:
    symbols: list[str] = []
    for part in said.split():
        if part in _KNOWN:
            symbols.append(part)
            continue
        pair = syllable_symbols(part)
        if pair is None:
            raise ConfigError(
                f"{where}: {part!r} in the pronunciation of {word!r} is neither ARPAbet (HH AH0), "
                "nor pinyin with its tone (zhang3), nor another official symbol"
            )
        symbols += pair
    if not symbols:
        raise ConfigError(f"{where}: the pronunciation of {word!r} is empty")
    return tuple(symbols)
