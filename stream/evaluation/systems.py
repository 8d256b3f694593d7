"""Systems: whoever can say a sentence in one of several voices.

A bundle is one; small programs that nearly every machine can have are others to compare with. More
may be written anywhere: a system is anything with these three members.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from selftalk.stream.errors import ConfigError
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.sound.audio import AudioChunk, concat, read_audio
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, open_synthesizer
from selftalk.stream.synthesis.voices import list_voices

Command = Callable[[str, str, Path], list[str]]
"""What to run: program, sentence and the file to write → the words of a command line."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence as it was spoken, and how long that took."""

    audio: AudioChunk
    busy_seconds: float
    first_audio_seconds: float


class System(Protocol):
    """Says sentences."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    @property
    def voices(self) -> Sequence[str]:
        """The voices that take turns."""
        ...

    def say(self, sentence: Sentence, voice: str) -> Spoken:
        """Speak one sentence."""
        ...


class BundleSystem:
    """A voice model of selftalk, streaming as it does in a conversation."""

    def __init__(self, bundle: Bundle, voices: Sequence[str] | None = None, seed: int = 0) -> None:
        self.name = bundle.manifest.name
        self.voices = list(voices or list_voices(bundle.voices_folder))
        self._seed = seed
        self._synthesizer = open_synthesizer(bundle)
        self._synthesizer.warm_up()
        self._loaded = {name: self._synthesizer.voice(name) for name in self.voices}

    def say(self, sentence: Sentence, voice: str) -> Spoken:
        """See `System.say`."""
        options = SynthesisOptions(language=sentence.language, seed=self._seed)
        began, first = time.perf_counter(), 0.0
        pieces: list[AudioChunk] = []
        chunks = self._synthesizer.stream(sentence.text, self._loaded[voice], options=options)
        for chunk in chunks:
            first = first or time.perf_counter() - began
            pieces.append(chunk.audio)
        audio = concat(pieces, self._synthesizer.sample_rate_hz)
        return Spoken(audio, time.perf_counter() - began, first)


class ProgramSystem:
    """A program that writes a sentence into a file; it does not stream, so its first is its last.

    Attributes:
        name: the program, and the package of Debian that has it.
        voices: its only one.
    """

    voices = ("default",)

    def __init__(self, name: str, commands: Mapping[str, Command]) -> None:
        """Find the program.

        Args:
            name: of the program.
            commands: language -> how it is called.

        Raises:
            ConfigError: it is not installed.
        """
        found = shutil.which(name)
        if found is None:
            raise ConfigError(f"{name} is not installed; on Debian: apt install {name}")
        self.name, self._program, self._commands = name, found, commands

    def say(self, sentence: Sentence, voice: str) -> Spoken:
        """See `System.say`.

        Raises:
            ConfigError: it does not speak the language.
        """
        if sentence.language not in self._commands:
            raise ConfigError(f"{self.name} is not asked to speak '{sentence.language}' here")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            command = self._commands[sentence.language](self._program, sentence.text, path)
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            busy = time.perf_counter() - began
            return Spoken(read_audio(path), busy, busy)


def _espeak(voice: str) -> Command:
    return lambda program, text, path: [program, "-v", voice, "-w", str(path), "--", text]


def _flite(program: str, text: str, path: Path) -> list[str]:
    return [program, "-voice", "slt", "-t", text, "-o", str(path)]


def espeak() -> ProgramSystem:
    """espeak-ng: formants by rule."""
    return ProgramSystem("espeak-ng", {"en": _espeak("en-us"), "zh": _espeak("cmn")})


def flite() -> ProgramSystem:
    """CMU Flite with its statistical voice slt: small, open, English."""
    return ProgramSystem("flite", {"en": _flite})
