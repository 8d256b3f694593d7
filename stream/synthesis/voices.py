"""Voice: who speaks, computed once from a recording and kept as one small file.

A `.voice` file is safetensors with a JSON header: arrays of numbers and plain text, nothing that
could run. The name `default` always exists.
"""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from selftalk.stream.errors import VoiceError
from selftalk.stream.home import data_folder
from selftalk.stream.sound.audio import Float32Array, write_atomically
from selftalk.stream.synthesis.reference import Reference, read_reference
from selftalk.stream.synthesis.styles import (
    NEUTRAL,
    Shade,
    Style,
    arrays_of,
    read_shades,
    split_name,
)
from selftalk.stream.trust.permission import is_stock, require_consent

SUFFIX = ".voice"
FORMAT = 1
PATCH_SUFFIX = ".patch"
PATCHED_GRAPHS = ("t2s_prefill", "t2s_step", "vocoder")
DEFAULT_VOICE = "default"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker as a model sees them."""

    name: str
    speaker: Float32Array
    """(D,) of the speaker encoder, of length 1."""
    mean_log_pitch: float
    """Natural logarithm of the mean pitch in Hz."""
    about: dict[str, str] = field(default_factory=dict)
    """Plain facts: language, description, origin; the receipt of consent to a person's voice."""
    timbre: Float32Array | None = None
    """(D,) in the space of the model's training voices, if it is known exactly."""
    patches: dict[str, Path] = field(default_factory=dict)
    """What was learnt from recordings: files that change graphs, by the names of the graphs."""
    reference: Reference | None = None
    """For GPT-SoVITS models, which do not use the speaker encoder."""
    shades: dict[Style, Shade] = field(default_factory=dict)
    """How it sounds in other styles, as far as recordings showed it."""
    tempo: float = 1.0
    """Against the usual one, in the style that was chosen."""
    usual: "Voice | None" = None
    """Without the style that was chosen; None if none was."""

    def in_style(self, style: Style) -> "Voice":
        """The same voice in a style; what was learnt for the usual one stays."""
        if self.usual is not None:
            return self.usual.in_style(style)
        if style == NEUTRAL:
            return self
        shade = self.shades.get(style)
        if shade is None:
            shade = Shade.by_rule(style, self.speaker, self.mean_log_pitch)
        return replace(
            self,
            speaker=shade.speaker,
            mean_log_pitch=shade.mean_log_pitch,
            tempo=shade.tempo,
            usual=self,
        )

    def save(self, path: Path) -> None:
        """Write the voice in one step."""
        described: dict[str, object] = {
            "format": FORMAT,
            "name": self.name,
            "about": self.about,
        }
        if self.patches:
            described["patches"] = sorted(self.patches)
        if self.reference is not None:
            described["model"] = self.reference.model
        # One entry only: safetensors writes several in a random order.
        header = {"voice": json.dumps(described, ensure_ascii=False, sort_keys=True)}
        arrays = {
            "speaker": self.speaker,
            "mean_log_pitch": np.array([self.mean_log_pitch], np.float32),
        }
        if self.timbre is not None:
            arrays["timbre"] = self.timbre
        if self.reference is not None:
            arrays |= self.reference.arrays()
        arrays |= arrays_of(self.shades)
        write_atomically(path, safetensors.numpy.save(arrays, metadata=header))

    @classmethod
    def load(cls, path: Path) -> "Voice":
        """Read a voice.

        Raises:
            VoiceError: the file is missing or is not a voice.
        """
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                header = json.loads((file.metadata() or {})["voice"])
                speaker = file.get_tensor("speaker")
                pitch = file.get_tensor("mean_log_pitch")
                timbre = file.get_tensor("timbre") if "timbre" in file.keys() else None  # noqa: SIM118
                reference = read_reference(header, file)
                shades = read_shades(file)
            name, about = header["name"], header["about"]
            learnt = header.get("patches", [])
        except (OSError, safetensors.SafetensorError, KeyError, ValueError) as error:
            raise VoiceError(f"'{path}' is not a voice file: {error}") from error
        if unknown := set(learnt) - set(PATCHED_GRAPHS):
            raise VoiceError(f"'{path}' changes graphs that voices may not: {sorted(unknown)[0]}")
        patches = {graph: learnt_folder(path) / f"{graph}{PATCH_SUFFIX}" for graph in learnt}
        return cls(name, speaker, float(pitch[0]), about, timbre, patches, reference, shades)


def learnt_folder(path: Path) -> Path:
    """The folder beside a voice's file that holds what was learnt; it is part of the voice."""
    return path.with_suffix("")


def voices_folder() -> Path:
    """Where the user's own voices are kept."""
    return data_folder() / "voices"


def list_voices(shipped: Path) -> dict[str, Path]:
    """Voice files by name; the user's own hide shipped ones of the same name."""
    found: dict[str, Path] = {}
    for folder in (shipped, voices_folder()):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            found[path.stem] = path
    return found


def find_voice(name: str, shipped: Path) -> Voice:
    """Load a voice by name, if it may speak; never another one in its place.

    Args:
        name: as `selftalk voices` lists it; a style may follow, such as "me:lively".
        shipped: the folder of voices that came with the bundle.

    Raises:
        VoiceError: there is no voice of this name, or no such style.
        ConsentError: it is a person's voice, and no receipt of their consent holds.
    """
    name, style = split_name(name)
    known = list_voices(shipped)
    if name not in known:
        raise VoiceError(f"unknown voice '{name}'; known: {', '.join(sorted(known)) or 'none'}")
    path = known[name]
    voice = replace(Voice.load(path), name=name).in_style(style)
    if path.parent != shipped or not is_stock(voice.about):
        require_consent(name, voice.about, voice.speaker)
    return voice


def check_voice_name(name: str) -> str:
    """Return the name if it can be a file's name.

    Raises:
        VoiceError: it cannot.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise VoiceError(
            f"'{name}' cannot name a voice; use a to z, 0 to 9, '-' and '_', at most 64"
        )
    return name
