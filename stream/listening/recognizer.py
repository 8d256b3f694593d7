"""Recognizer: speech in, what was said out; and how to get one from a config.

Knows the engines by name only: each lives in its own file and is imported when it is asked for.
Knows nothing about turns; scheduling decodes while somebody speaks is `partials.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec
import numpy as np

from selftalk.stream.errors import ConfigError
from selftalk.stream.fetching.weights import Progress, resolve
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.resample import resample
from selftalk.stream.stop import StopFlag

SAMPLE_RATE_HZ = 16_000
"""What every engine listens to; chunks of other rates are resampled."""
FRAME_MS = 50
SILENCE_DBFS = -60.0
"""Without a 50 ms frame above this: nobody spoke and a recogniser would only imagine something."""

MOONSHINE = "moonshine-tiny-en"
WHISPER = "whisper-base"


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said; the text is empty when nothing was understood."""

    text: str
    language: str
    confidence: float = 1.0
    """Geometric mean of the tokens' probabilities; 1 when the engine does not tell."""


class Recognizer(Protocol):
    """Turns the audio of an utterance into text; runs in a thread, one call at a time."""

    suits_partials: bool
    """Whether a decode is so cheap that it may be repeated while the user still speaks."""

    def transcribe(
        self, chunk: AudioChunk, language: str | None = None, stop: StopFlag | None = None
    ) -> Transcript:
        """Recognise an utterance.

        Args:
            chunk: mono audio of any length and sample rate.
            language: a code such as "en" or "zh"; None for the recogniser's own.
            stop: set it to give up; looked at between steps.

        Raises:
            RecognizerError: the language is not supported, or the engine failed.
            Stopped: `stop` was set.
        """
        ...


class RecognizerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings `[recognizer]`."""

    engine: Literal["auto", "moonshine", "whisper", "remote"] = "auto"
    """auto: moonshine for English, whisper for every other language."""
    language: str = "en"
    threads: int = 1
    model: str = "whisper-1"
    """Of the remote engine."""
    base_url: str = ""
    """Of the remote engine, up to and including /v1."""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable that holds the remote engine's key; keys are never in a config."""
    timeout_seconds: float = 20.0


def load_recognizer(config: RecognizerConfig, progress: Progress | None = None) -> Recognizer:
    """Make the recognizer a config asks for, fetching its weights when they are missing.

    Raises:
        ConfigError: the settings contradict each other.
        WeightsError: the weights cannot be had.
        RecognizerError: the engine's package is not installed.
    """
    if config.threads < 1:
        raise ConfigError(f"recognizer.threads is {config.threads}; at least 1 is needed")
    engine = config.engine
    if engine == "auto":
        engine = "moonshine" if base_language(config.language) == "en" else "whisper"
    return _LOADERS[engine](config, progress)


def _load_moonshine(config: RecognizerConfig, progress: Progress | None) -> Recognizer:
    from selftalk.stream.listening.moonshine import Moonshine

    if base_language(config.language) != "en":
        raise ConfigError(
            f"moonshine understands English only; for '{config.language}' use engine = \"whisper\""
        )
    return Moonshine.load(resolve(MOONSHINE, progress), threads=config.threads)


def _load_whisper(config: RecognizerConfig, progress: Progress | None) -> Recognizer:
    from selftalk.stream.listening.whisper import Whisper

    return Whisper.load(resolve(WHISPER, progress), config.language, threads=config.threads)


def _load_remote(config: RecognizerConfig, progress: Progress | None) -> Recognizer:
    from selftalk.stream.listening.remote_recognizer import RemoteRecognizer

    return RemoteRecognizer(
        config.base_url,
        model=config.model,
        language=config.language,
        key_variable=config.key_variable,
        timeout_seconds=config.timeout_seconds,
    )


_LOADERS: dict[str, Callable[[RecognizerConfig, Progress | None], Recognizer]] = {
    "moonshine": _load_moonshine,
    "whisper": _load_whisper,
    "remote": _load_remote,
}


def speech_samples(chunk: AudioChunk) -> Float32Array:
    """The chunk at 16 kHz, (T,); (0,) when nothing in it is loud enough to be speech."""
    if _loudest_frame_dbfs(chunk) < SILENCE_DBFS:
        return np.zeros(0, np.float32)
    if chunk.sample_rate_hz == SAMPLE_RATE_HZ:
        return chunk.samples
    return resample(chunk.samples, chunk.sample_rate_hz, SAMPLE_RATE_HZ)


def base_language(code: str) -> str:
    """The language of a code without its region: "en-US" and "EN" are "en"."""
    return code.replace("_", "-").split("-")[0].lower()


def _loudest_frame_dbfs(chunk: AudioChunk) -> float:
    frame_samples = max(1, chunk.sample_rate_hz * FRAME_MS // 1000)
    padded = np.pad(chunk.samples, (0, -len(chunk) % frame_samples))
    frames = padded.reshape(-1, frame_samples)
    if not len(frames):
        return -120.0
    power = np.einsum("ft,ft->f", frames, frames) / frame_samples
    return float(10 * np.log10(power.max() + 1e-12))
