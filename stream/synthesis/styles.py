"""Styles: how one voice sounds when it is lively or tired; a part of a voice's file.

    me           as usual
    me:lively    the same voice, as its owner sounded in lively recordings

Wherever the name of a voice is asked for, a style may follow it. A voice that never showed a style
gets it by rule. Knows nothing about recordings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import VoiceError
from selftalk.stream.sound.audio import Float32Array

Style = Literal["neutral", "lively", "tired"]
STYLES: tuple[Style, ...] = get_args(Style)
NEUTRAL: Style = "neutral"
SEPARATOR = ":"

BY_RULE: dict[Style, tuple[float, float]] = {"lively": (1.5, 1.06), "tired": (-1.5, 0.92)}
"""Semitones and tempo against the usual, for voices of which no more is known."""
SLOWEST, FASTEST = 0.8, 1.25
"""Tempo of a style: a few slices are not enough to believe more."""


@dataclass(frozen=True, slots=True)
class Shade:
    """What a style changes in a voice."""

    speaker: Float32Array
    """(D,) of the speaker encoder, of length 1."""
    mean_log_pitch: float
    """Natural logarithm of the mean pitch in Hz."""
    tempo: float = 1.0
    """Against the usual one; more is faster."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tempo", float(np.clip(self.tempo, SLOWEST, FASTEST)))

    @classmethod
    def by_rule(cls, style: Style, speaker: Float32Array, mean_log_pitch: float) -> "Shade":
        """A style as most people show it."""
        semitones, tempo = BY_RULE[style]
        return cls(speaker, mean_log_pitch + semitones * float(np.log(2)) / 12, tempo)


def split_name(name: str) -> tuple[str, Style]:
    """The name of a voice, and the style that follows it.

    Raises:
        VoiceError: there is no such style.
    """
    voice, _, style = name.partition(SEPARATOR)
    if not style and voice == name:
        return voice, NEUTRAL
    if style not in STYLES:
        raise VoiceError(f"'{name[:80]}' asks for an unknown style; known: {', '.join(STYLES)}")
    return voice, style


def split_style(reference: str) -> tuple[str, str]:
    """A path or name, and the style at its end; empty if no known one is there."""
    before, _, style = reference.rpartition(SEPARATOR)
    return (before, style) if style in STYLES else (reference, "")


def voice_of(name: str) -> str:
    """The name without its style, whatever that is."""
    return name.partition(SEPARATOR)[0]


def arrays_of(shades: Mapping[Style, Shade]) -> dict[str, npt.NDArray[Any]]:
    """Shades as arrays by their names in a file."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for style, shade in shades.items():
        arrays[f"{style}.speaker"] = shade.speaker
        arrays[f"{style}.pitch_tempo"] = np.array([shade.mean_log_pitch, shade.tempo], np.float32)
    return arrays


def read_shades(file: Any) -> dict[Style, Shade]:
    """The shades in an open safetensors file."""
    found: dict[Style, Shade] = {}
    names = set(file.keys())
    for style in STYLES:
        if f"{style}.speaker" in names:
            pitch, tempo = map(float, file.get_tensor(f"{style}.pitch_tempo"))
            found[style] = Shade(file.get_tensor(f"{style}.speaker"), pitch, tempo)
    return found
