"""Styles: new speakers for the teacher, mixed and sampled from its stock voices.

A style is 256 numbers for each length of text: 128 of timbre, 128 of prosody. A speaker is a
recipe (a few names and numbers), so a manifest can hold it and the voice is made anew at
rendering. Knows nothing about text or audio.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from selftalk.models.training.teacher import STYLE_SIZE, TIMBRE_SIZE
from selftalk.stream.errors import WeightsError
from selftalk.stream.sound.audio import Float32Array

WEIGHTS = "kokoro-82m-voices"

Gender = Literal["f", "m"]

# First letter of a stock voice -> language. Prosody is never mixed across languages: that
# was measured to cost 12 % of the words; nor are American and British speech.
_PROSODY_GROUPS = {"en": ("a", "a", "a", "b"), "zh": ("z",), "ja": ("j",)}
_COMPONENTS = 30
_REFERENCE_LENGTH = 60
"""The text length at which timbre directions are measured; they hardly turn with length."""

_STOCK_SHARE = 0.15
_MIXED_SHARE = 0.25
_SAME_GENDER_SHARE = 0.9


class Timbre(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recipe of a timbre half: one stock voice, a mix of two, or a sample of all."""

    kind: Literal["stock", "mix", "sample"]
    voices: tuple[str, ...] = ()
    weight: float = 1.0
    """Of the first voice in a mix."""
    seed: int = 0
    """Of the random point in the space of all stock timbres."""


class ProsodyMix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recipe of a prosody half: two voices of one language in equal parts."""

    voices: tuple[str, str]


class Speaker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person who does not exist: one timbre, and one way of speaking for each language."""

    name: str
    timbre: Timbre
    prosody: dict[str, ProsodyMix]
    speed: float


class StyleBank:
    """The stock voices, and every style that can be made of them."""

    def __init__(self, voices: dict[str, Float32Array]) -> None:
        """Measure the timbre space.

        Args:
            voices: name -> (L, 256): the style for each text length. Names start with the
                letter of the language and of the gender, as in "af_heart".
        """
        assert len(voices) > 1, "timbres cannot be mixed from fewer than two voices"
        self.names = tuple(sorted(voices))
        self._table = np.stack([voices[name] for name in self.names])  # (voices, L, 256)
        self._row = dict(zip(self.names, range(len(self.names)), strict=True))
        self._mean = self._table[:, :, :TIMBRE_SIZE].mean(axis=0)  # (L, 128)
        reference = min(_REFERENCE_LENGTH, self._table.shape[1]) - 1
        timbres = self._table[:, reference, :TIMBRE_SIZE]
        centred = timbres - timbres.mean(axis=0)
        _, spread, axes = np.linalg.svd(centred, full_matrices=False)
        kept = min(_COMPONENTS, len(spread))
        self._axes = (spread[:kept, None] / np.sqrt(len(timbres))) * axes[:kept]
        is_female = np.array([name[1] == "f" for name in self.names])
        self._gender_axis = np.zeros(TIMBRE_SIZE, np.float32)
        if is_female.any() and not is_female.all():
            self._gender_axis = centred[is_female].mean(axis=0) - centred[~is_female].mean(axis=0)

    @classmethod
    def load(cls, folder: Path) -> "StyleBank":
        """Read the stock voices: one `NAME.bin` of float32 (510, 256) each."""
        files = sorted(folder.glob("*.bin"))
        if not files:
            raise WeightsError(f"no teacher voices ('*.bin') in '{folder}'")
        voices = {
            file.stem: np.fromfile(file, np.float32).reshape(-1, STYLE_SIZE) for file in files
        }
        return cls(voices)

    def style(self, timbre: Timbre, prosody: ProsodyMix, length: int) -> Float32Array:
        """The (256,) style of a recipe for a text of `length` teacher characters."""
        row = min(length, self._table.shape[1]) - 1
        halves = [self._timbre(timbre, row), self._prosody(prosody, row)]
        return np.concatenate(halves).astype(np.float32)

    def gender(self, timbre: Timbre) -> Gender:
        """On which side of the line between female and male stock timbres this one lies."""
        row = min(_REFERENCE_LENGTH, self._table.shape[1]) - 1
        offset = self._timbre(timbre, row) - self._mean[row]
        return "f" if float(offset @ self._gender_axis) >= 0 else "m"

    def speakers(self, count: int, seed: int) -> Iterator[Speaker]:
        """Draw speakers; the same seed always gives the same ones."""
        for index in range(count):
            random = np.random.default_rng([seed, index])
            timbre = self._draw_timbre(random)
            gender = self.gender(timbre)
            yield Speaker(
                name=f"s{index:04d}",
                timbre=timbre,
                prosody={
                    language: self._draw_prosody(random, language, gender)
                    for language in _PROSODY_GROUPS
                    if self._group(_PROSODY_GROUPS[language][0])
                },
                speed=round(float(random.uniform(0.94, 1.08)), 3),
            )

    def _timbre(self, timbre: Timbre, row: int) -> Float32Array:
        if timbre.kind == "sample":
            point = np.random.default_rng(timbre.seed).standard_normal(len(self._axes))
            return np.asarray(self._mean[row] + point @ self._axes, np.float32)
        halves = [self._table[self._row[name], row, :TIMBRE_SIZE] for name in timbre.voices]
        if timbre.kind == "stock":
            return np.asarray(halves[0])
        return np.asarray(timbre.weight * halves[0] + (1 - timbre.weight) * halves[1])

    def _prosody(self, prosody: ProsodyMix, row: int) -> Float32Array:
        rows = [self._row[name] for name in prosody.voices]
        return np.asarray(self._table[rows, row, TIMBRE_SIZE:].mean(axis=0), np.float32)

    def _draw_timbre(self, random: np.random.Generator) -> Timbre:
        choice = random.random()
        if choice < _STOCK_SHARE:
            return Timbre("stock", (str(random.choice(self.names)),))
        if choice < _STOCK_SHARE + _MIXED_SHARE:
            first, second = random.choice(self.names, 2, replace=False)
            weight = round(float(random.uniform(0.3, 0.7)), 3)
            return Timbre("mix", (str(first), str(second)), weight)
        return Timbre("sample", seed=int(random.integers(2**31)))

    def _draw_prosody(
        self, random: np.random.Generator, language: str, gender: Gender
    ) -> ProsodyMix:
        letter = str(random.choice(_PROSODY_GROUPS[language]))
        group = self._group(letter)
        alike = [name for name in group if name[1] == gender]
        if len(alike) > 1 and random.random() < _SAME_GENDER_SHARE:
            group = alike
        first, second = random.choice(group, 2, replace=len(group) < 2)
        return ProsodyMix((str(first), str(second)))

    def _group(self, letter: str) -> list[str]:
        return [name for name in self.names if name[0] == letter]
