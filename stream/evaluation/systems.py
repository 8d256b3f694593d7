"""Systems: whoever can say a sentence in one of several voices.

A bundle is one; espeak-ng, which nearly every machine can have, is another to compare with. More
may be written anywhere: a system is anything with these three members.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from selftalk.stream.errors import ConfigError
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.sound.audio import AudioChunk, concat, read_audio
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, open_synthesizer
from selftalk.stream.synthesis.voices import list_voices

ESPEAK_NAMES = {"en": "en-us", "zh": "cmn"}


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


class EspeakSystem:
    """espeak-ng, the program."""

    name = "espeak-ng"
    voices = ("default",)

    def __init__(self) -> None:
        found = shutil.which("espeak-ng")
        if found is None:
            raise ConfigError("espeak-ng is not installed; on Debian: apt install espeak-ng")
        self._program = found

    def say(self, sentence: Sentence, voice: str) -> Spoken:
        """See `System.say`; espeak-ng does not stream, so the first audio is the last."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            command = [self._program, "-v", ESPEAK_NAMES[sentence.language], "-w", str(path), "--"]
            began = time.perf_counter()
            subprocess.run([*command, sentence.text], check=True, capture_output=True)
            busy = time.perf_counter() - began
            return Spoken(read_audio(path), busy, busy)
