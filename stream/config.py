"""TalkConfig: all settings of a conversation, from files and the command line.

    configs/default.toml  ←  the user's file or a shipped one  ←  table.key=value

Each table belongs to the part of the program that uses it; those that have no class of their
own there are here. Knows nothing about what the settings do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, get_type_hints

from msgspec import Meta

from selftalk.stream.dialogue.agent_config import AgentConfig
from selftalk.stream.dialogue.turns import TurnConfig
from selftalk.stream.errors import ConfigError
from selftalk.stream.listening.partials import PartialsConfig
from selftalk.stream.listening.recognizer import RecognizerConfig
from selftalk.stream.server_config import ServerConfig
from selftalk.stream.strict_toml import build, check_names, merge, read_file, read_override
from selftalk.stream.trust.labels import LabelsConfig

SHIPPED = ("default", "low_latency", "cpu")
OVERRIDES = "the command line"

Threads = Annotated[int, Meta(ge=1, le=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioConfig:
    """The settings `[audio]`."""

    microphone: str = ""
    """Part of a device's name; empty is the system's default."""
    speaker: str = ""
    """Part of a device's name; empty is the system's default."""
    echo_cancellation: bool = True
    """Take the agent's own voice out of the microphone; needless with headphones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VadConfig:
    """The settings `[vad]`: who tells speech from silence, and who judges pauses."""

    engine: Literal["silero", "webrtc"] = "silero"
    end_of_turn: bool = True
    """Let a model judge by its sound whether a sentence is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderConfig:
    """The settings `[responder]`."""

    engine: Literal["auto", "chat", "embedded", "mirror"] = "auto"
    """auto: a local server if one is running, else the embedded model, else the mirror."""
    base_url: str = ""
    """Of a chat server, up to and including /v1."""
    model: str = ""
    """A model of the chat server, or the path of a GGUF file for the embedded one."""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable that holds the server's key; keys are never in a config."""
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.7
    max_tokens: Annotated[int, Meta(ge=1, le=100_000)] = 300
    threads: Threads = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceConfig:
    """The settings `[voice]`."""

    name: str = "default"
    bundle: str = ""
    """Folder of a voice model; empty is the shipped one."""
    language: str = "auto"
    """What the voice speaks; auto follows the text."""
    speed: Annotated[float, Meta(ge=0.5, le=2)] = 1.0
    pitch_semitones: Annotated[float, Meta(ge=-12, le=12)] = 0.0
    seed: int = 0
    exact: bool = False
    """Draw each sentence to its end before its first sound; see `SynthesisOptions`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """The settings `[engine]`: how the voice model is run."""

    provider: Literal["auto", "cpu", "cuda", "directml", "coreml", "openvino"] = "auto"
    decoder_threads: Threads = 1
    """More than one makes it slower where cores are few: pools of threads fight."""
    vocoder_threads: Threads = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkConfig:
    """All settings, one field for each table."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    vad: VadConfig = field(default_factory=VadConfig)
    turns: TurnConfig = field(default_factory=TurnConfig)
    recognizer: RecognizerConfig = field(default_factory=RecognizerConfig)
    partials: PartialsConfig = field(default_factory=PartialsConfig)
    responder: ResponderConfig = field(default_factory=ResponderConfig)
    voice: VoiceConfig = field(default_factory=VoiceConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    labels: LabelsConfig = field(default_factory=LabelsConfig)
    agent: AgentConfig = field(default_factory=AgentConfig)
    server: ServerConfig = field(default_factory=ServerConfig)


SECTIONS: dict[str, type] = get_type_hints(TalkConfig)


def load_config(chosen: str | Path = "default", overrides: Iterable[str] = ()) -> TalkConfig:
    """Read the settings of a conversation.

    Args:
        chosen: a shipped config by name, or the path of a TOML file, which need only hold what
            differs from the default.
        overrides: assignments `table.key=value`, which win.

    Raises:
        ConfigError: a file is missing, or a setting is unknown, of the wrong type or out of
            range; one sentence with the place, the value, and what is allowed.
    """
    layers = [read_file(_shipped("default"))]
    path = _path_of(chosen)
    if path != _shipped("default"):
        layers.append(read_file(path))
        check_names(layers[-1], SECTIONS, f"'{path}'")
    for assignment in overrides:
        layers.append(read_override(assignment))
        check_names(layers[-1], SECTIONS, OVERRIDES)
    tables = merge(*layers)
    return TalkConfig(
        **{name: build(section, tables.get(name, {}), name) for name, section in SECTIONS.items()}
    )


def _path_of(chosen: str | Path) -> Path:
    if str(chosen) in SHIPPED:
        return _shipped(str(chosen))
    path = Path(chosen).expanduser()
    if not path.is_file():
        names = ", ".join(SHIPPED)
        raise ConfigError(f"'{chosen}' is neither a file nor one of the shipped configs: {names}")
    return path


def _shipped(name: str) -> Path:
    return Path(str(resources.files("selftalk.configs").joinpath(f"{name}.toml")))
