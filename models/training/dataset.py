"""A prepared set of recordings, as both official stages train on it.

    dataset.json            format, version of the base model, the items, what was left out
    items/ID.safetensors    one recording

Arrays of an item:

    wave    int16    (S,) mono at the base model's rate
    ssl     float16  (T, 768) speech features at 50 Hz
    tokens  int64    (T // 2,) semantic tokens of the base model's codebook
    phones  int64    (N,) ids in the base model's symbol table
    bert    float16  (N, 1024) text features, if there were any
    speaker float32  (E,) speaker embedding, for v2Pro

An ID is a hash of the sound and of what was made of it: preparing goes on where it stopped, and
makes anew only what has changed. Knows nothing about how the arrays are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from selftalk.stream.errors import ConfigError
from selftalk.stream.sound.audio import Float32Array, Int16Array, from_int16, write_atomically

FORMAT = 1
DESCRIPTION = "dataset.json"
LANGUAGES = {
    "zh": "zh", "en": "en", "ja": "ja", "jp": "ja", "ko": "ko", "kr": "ko", "yue": "yue",
}  # fmt: skip
"""Codes in lists of recordings, and ours."""

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: a recording and what it says."""

    audio: Path
    speaker: str
    language: str
    text: str


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prepared recording."""

    id: str
    audio: str
    speaker: str
    language: str
    text: str
    samples: int
    phones: int


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `dataset.json` says."""

    format: int
    version: str
    """Of the base model: v1, v2, v2Pro or v2ProPlus."""
    sample_rate_hz: int
    items: tuple[Item, ...]
    left_out: dict[str, str] = {}
    """Recordings that were not used, and why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The arrays of an item; see the module."""

    wave: Int16Array
    ssl: npt.NDArray[np.float16]
    tokens: Int64Array
    phones: Int64Array
    bert: npt.NDArray[np.float16] | None = None
    speaker: Float32Array | None = None

    @property
    def samples(self) -> Float32Array:
        """(S,) float32 in [-1, 1]."""
        return from_int16(self.wave)

    def save(self, path: Path) -> None:
        """Write the arrays in one step."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "wave": self.wave, "ssl": self.ssl, "tokens": self.tokens, "phones": self.phones,
        }  # fmt: skip
        if self.bert is not None:
            arrays["bert"] = self.bert
        if self.speaker is not None:
            arrays["speaker"] = self.speaker
        write_atomically(path, safetensors.numpy.save(arrays))

    @classmethod
    def load(cls, path: Path) -> "Recorded":
        """Read what `save` wrote.

        Raises:
            ConfigError: the file is missing or damaged.
        """
        try:
            return cls(**safetensors.numpy.load_file(path))
        except (OSError, safetensors.SafetensorError, TypeError) as error:
            raise ConfigError(f"'{path}' is no prepared recording: {error}") from error


def read_list(path: Path) -> list[Line]:
    """Read a list of recordings: `audio|speaker|language|text`, one in a line.

    Relative audio paths are looked for beside the list.

    Raises:
        ConfigError: the file is missing, or a line is not of that form.
    """
    try:
        written = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the list '{path}' cannot be read: {error}") from error
    return [
        _line(path, number, line) for number, line in enumerate(written, start=1) if line.strip()
    ]


def _line(path: Path, number: int, written: str) -> Line:
    parts = [part.strip() for part in written.split("|", 3)]
    if len(parts) != 4 or not all(parts):
        raise ConfigError(f"line {number} of '{path}' is not 'audio|speaker|language|text'")
    audio, speaker, language, text = parts
    code = language.lower().removeprefix("all_")
    if code not in LANGUAGES:
        known = ", ".join(sorted(set(LANGUAGES)))
        raise ConfigError(f"line {number} of '{path}': unknown language '{language}'; {known}")
    return Line(path.parent / audio, speaker, LANGUAGES[code], text)


def item_path(folder: Path, item_id: str) -> Path:
    """Where an item's arrays lie."""
    return folder / "items" / f"{item_id}.safetensors"


def write_description(folder: Path, description: Description) -> None:
    """Write `dataset.json` in one step."""
    content = msgspec.json.format(msgspec.json.encode(description))
    write_atomically(folder / DESCRIPTION, content)


def read_description(folder: Path) -> Description:
    """Read `dataset.json`.

    Raises:
        ConfigError: the folder holds no prepared set of this format.
    """
    try:
        found = msgspec.json.decode((folder / DESCRIPTION).read_bytes(), type=Description)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"'{folder}' holds no prepared recordings: {error}") from error
    if found.format != FORMAT:
        raise ConfigError(f"the set in '{folder}' has format {found.format}; {FORMAT} is read")
    return found


def load_items(folder: Path, items: Sequence[Item]) -> list[Recorded]:
    """The arrays of items, in order."""
    return [Recorded.load(item_path(folder, item.id)) for item in items]
