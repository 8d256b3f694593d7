"""The settings of a session as they are sent, with their defaults and limits."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

Share = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
Speed = Annotated[float, Meta(ge=0.25, le=4)]
Text = Annotated[str, Meta(max_length=100_000)]
Modality = Literal["audio", "text"]
MaxTokens = Annotated[int, Meta(ge=1, le=1_000_000)] | Literal["inf"]


class Pcm(Struct, tag="audio/pcm", kw_only=True):
    """16 bit, little-endian, mono."""

    rate: Literal[24_000] = 24_000


class MuLaw(Struct, tag="audio/pcmu", kw_only=True):
    """G.711 as in American and Japanese telephones, 8 kHz."""


class ALaw(Struct, tag="audio/pcma", kw_only=True):
    """G.711 as in European telephones, 8 kHz."""


AudioFormat = Pcm | MuLaw | ALaw


class ServerVad(Struct, tag="server_vad", kw_only=True):
    """Silence of a fixed length ends a turn."""

    threshold: Share = 0.5
    prefix_padding_ms: Milliseconds = 300
    silence_duration_ms: Annotated[int, Meta(ge=100, le=10_000)] = 500
    idle_timeout_ms: Annotated[int, Meta(ge=1000, le=600_000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Struct, tag="semantic_vad", kw_only=True):
    """A model judges by the sound of a pause whether the turn is over."""

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = ServerVad | SemanticVad


class Transcription(Struct, kw_only=True):
    """How the user's speech is written down."""

    model: str = "selftalk"
    language: str | None = None
    prompt: str | None = None


class NoiseReduction(Struct, kw_only=True):
    """Accepted, and left to the client's microphone."""

    type: Literal["near_field", "far_field"]


class VoiceId(Struct, kw_only=True):
    """A voice of one's own."""

    id: str


class FunctionTool(Struct, tag="function", kw_only=True):
    """A function that the model may ask for."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


class ChosenFunction(Struct, tag="function", kw_only=True):
    """The function that must be called."""

    name: str


ToolChoice = Literal["none", "auto", "required"] | ChosenFunction


class AudioInput(Struct, kw_only=True):
    """How the user is heard."""

    format: AudioFormat = field(default_factory=Pcm)
    transcription: Transcription | None = field(default_factory=Transcription)
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = field(default_factory=ServerVad)


class AudioOutput(Struct, kw_only=True):
    """How replies sound."""

    format: AudioFormat = field(default_factory=Pcm)
    voice: str | VoiceId = "default"
    speed: Speed = 1.0

    @property
    def voice_name(self) -> str:
        """The name of the voice, however it was given."""
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice


class SessionAudio(Struct, kw_only=True):
    """The settings of both directions."""

    input: AudioInput = field(default_factory=AudioInput)
    output: AudioOutput = field(default_factory=AudioOutput)


class InputOnly(Struct, kw_only=True):
    """The settings of a session that only writes down."""

    input: AudioInput = field(default_factory=AudioInput)


class ChosenSelf(Struct, kw_only=True):
    """Ours: whom one talks with."""

    self: str = ""
    """Its name; empty for the server's own choice."""
    selves: list[str] = field(default_factory=list)
    """All there are; a client cannot change this."""


class RealtimeSession(Struct, tag="realtime", kw_only=True):
    """A conversation."""

    id: str = ""
    object: Literal["realtime.session"] = "realtime.session"
    model: str = "selftalk"
    output_modalities: Annotated[list[Modality], Meta(min_length=1, max_length=1)] = field(
        default_factory=lambda: ["audio"]
    )
    instructions: Text = ""
    tools: Annotated[list[FunctionTool], Meta(max_length=128)] = field(default_factory=list)
    tool_choice: ToolChoice = "auto"
    max_output_tokens: MaxTokens = "inf"
    audio: SessionAudio = field(default_factory=SessionAudio)
    include: list[str] | None = None
    tracing: Any = None
    truncation: Any = "auto"
    prompt: Any = None
    expires_at: int = 0
    selftalk: ChosenSelf = field(default_factory=ChosenSelf)


class TranscriptionSession(Struct, tag="transcription", kw_only=True):
    """A session that writes down what is said, and never answers."""

    id: str = ""
    object: Literal["realtime.transcription_session"] = "realtime.transcription_session"
    audio: InputOnly = field(default_factory=InputOnly)
    include: list[str] | None = None
    expires_at: int = 0


SessionSettings = RealtimeSession | TranscriptionSession


class ResponseOutput(Struct, kw_only=True):
    """How one reply sounds."""

    format: AudioFormat | UnsetType = UNSET
    voice: str | VoiceId | UnsetType = UNSET


class ResponseAudio(Struct, kw_only=True):
    """Only replies have settings of their own."""

    output: ResponseOutput = field(default_factory=ResponseOutput)


class ResponseSettings(Struct, kw_only=True):
    """What is different for one reply."""

    instructions: Text | UnsetType = UNSET
    output_modalities: Annotated[list[Modality], Meta(min_length=1, max_length=1)] | UnsetType = (
        UNSET
    )
    tools: Annotated[list[FunctionTool], Meta(max_length=128)] | UnsetType = UNSET
    tool_choice: ToolChoice | UnsetType = UNSET
    max_output_tokens: MaxTokens | UnsetType = UNSET
    conversation: Literal["auto", "none"] = "auto"
    metadata: dict[str, str] | None = None
    input: list[dict[str, Any]] | UnsetType = UNSET
    audio: ResponseAudio | UnsetType = UNSET
