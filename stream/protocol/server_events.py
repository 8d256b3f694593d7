"""The events a server sends, each with every field that strict clients require."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from selftalk.stream.protocol.items import Item, Part
from selftalk.stream.protocol.settings import AudioFormat, MaxTokens, SessionSettings


class ServerBase(Struct, kw_only=True):
    """Every event has an id."""

    event_id: str = ""


# --- the session -------------------------------------------------------------------------------


class SessionCreated(ServerBase, tag="session.created", kw_only=True):
    """The first event of every connection."""

    session: SessionSettings


class SessionUpdated(ServerBase, tag="session.updated", kw_only=True):
    """All settings as they are now."""

    session: SessionSettings


class ErrorDetails(Struct, kw_only=True):
    """What was wrong."""

    type: str
    message: str
    code: str | None = None
    param: str | None = None
    event_id: str | None = None
    """Of the client's event."""


class Error(ServerBase, tag="error", kw_only=True):
    """Something was refused; the session goes on."""

    error: ErrorDetails


# --- what is heard -----------------------------------------------------------------------------


class SpeechStarted(ServerBase, tag="input_audio_buffer.speech_started", kw_only=True):
    """The user speaks; time to silence what is played."""

    item_id: str
    audio_start_ms: int


class SpeechStopped(ServerBase, tag="input_audio_buffer.speech_stopped", kw_only=True):
    """The user has finished."""

    item_id: str
    audio_end_ms: int


class Committed(ServerBase, tag="input_audio_buffer.committed", kw_only=True):
    """An utterance became an item."""

    item_id: str
    previous_item_id: str | None = None


class Cleared(ServerBase, tag="input_audio_buffer.cleared", kw_only=True):
    """What was appended is forgotten."""


class TimeoutTriggered(ServerBase, tag="input_audio_buffer.timeout_triggered", kw_only=True):
    """The user has said nothing for `idle_timeout_ms`."""

    item_id: str
    audio_start_ms: int
    audio_end_ms: int


class DurationUsage(Struct, tag="duration", kw_only=True):
    """How much audio was written down."""

    seconds: float


class TranscriptionDelta(
    ServerBase, tag="conversation.item.input_audio_transcription.delta", kw_only=True
):
    """More of what the user said."""

    item_id: str
    delta: str
    content_index: int = 0


class TranscriptionCompleted(
    ServerBase, tag="conversation.item.input_audio_transcription.completed", kw_only=True
):
    """What the user said."""

    item_id: str
    transcript: str
    usage: DurationUsage
    content_index: int = 0


class TranscriptionFailed(
    ServerBase, tag="conversation.item.input_audio_transcription.failed", kw_only=True
):
    """What the user said could not be written down."""

    item_id: str
    error: ErrorDetails
    content_index: int = 0


# --- the conversation --------------------------------------------------------------------------


class ItemAdded(ServerBase, tag="conversation.item.added", kw_only=True):
    """An item came into the conversation, perhaps not complete yet."""

    item: Item
    previous_item_id: str | None = None


class ItemDone(ServerBase, tag="conversation.item.done", kw_only=True):
    """An item is complete."""

    item: Item
    previous_item_id: str | None = None


class ItemRetrieved(ServerBase, tag="conversation.item.retrieved", kw_only=True):
    """An item that was asked for."""

    item: Item


class ItemDeleted(ServerBase, tag="conversation.item.deleted", kw_only=True):
    """An item is gone."""

    item_id: str


class ItemTruncated(ServerBase, tag="conversation.item.truncated", kw_only=True):
    """An item holds only what was heard."""

    item_id: str
    audio_end_ms: int
    content_index: int = 0
    transcript: str = ""
    """Ours: the words that were heard."""


# --- replies -----------------------------------------------------------------------------------


class StatusError(Struct, kw_only=True):
    """Why a reply failed."""

    type: str
    code: str | None = None
    message: str = ""


class StatusDetails(Struct, kw_only=True):
    """Why a reply did not come to its end."""

    type: Literal["cancelled", "failed", "incomplete"]
    reason: Literal["turn_detected", "client_cancelled", "max_output_tokens"] | UnsetType = UNSET
    error: StatusError | UnsetType = UNSET


class ResponseAudioOutput(Struct, kw_only=True):
    """How a reply sounds."""

    format: AudioFormat
    voice: str


class ResponseAudio(Struct, kw_only=True):
    """Only the output."""

    output: ResponseAudioOutput


class Response(Struct, kw_only=True):
    """A reply: what is known of it, without its audio."""

    id: str
    status: Literal["in_progress", "completed", "cancelled", "failed", "incomplete"]
    conversation_id: str | None
    output_modalities: list[str]
    audio: ResponseAudio
    max_output_tokens: MaxTokens
    object: Literal["realtime.response"] = "realtime.response"
    status_details: StatusDetails | None = None
    output: list[Item] = field(default_factory=list)
    usage: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None


class ResponseCreated(ServerBase, tag="response.created", kw_only=True):
    """A reply is being made."""

    response: Response


class ResponseDone(ServerBase, tag="response.done", kw_only=True):
    """A reply came to its end, whichever; always sent."""

    response: Response


class OutputItemAdded(ServerBase, tag="response.output_item.added", kw_only=True):
    """A reply has a new item."""

    response_id: str
    output_index: int
    item: Item


class OutputItemDone(ServerBase, tag="response.output_item.done", kw_only=True):
    """An item of a reply is complete."""

    response_id: str
    output_index: int
    item: Item


class PartBase(ServerBase, kw_only=True):
    """What belongs to a part of an item."""

    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


class ContentPartAdded(PartBase, tag="response.content_part.added", kw_only=True):
    """A part begins."""

    part: Part


class ContentPartDone(PartBase, tag="response.content_part.done", kw_only=True):
    """A part is complete."""

    part: Part


class Word(Struct, kw_only=True):
    """When a word is heard, in ms from the first sample of its item."""

    text: str
    start_ms: int
    end_ms: int
    phones: list[tuple[str, int, int]] = field(default_factory=list)
    """Its phonemes, each with the ms where it starts and ends."""


class OutputAudioDelta(PartBase, tag="response.output_audio.delta", kw_only=True):
    """The next audio of a reply, base64."""

    delta: bytes
    words: list[Word] = field(default_factory=list)
    """Ours: the words that became known with it."""
    duration_ms: float = 0.0
    """Ours: how long it lasts; observers get no audio, only this."""


class OutputAudioDone(PartBase, tag="response.output_audio.done", kw_only=True):
    """All audio was sent."""


class OutputAudioTranscriptDelta(
    PartBase, tag="response.output_audio_transcript.delta", kw_only=True
):
    """What the audio says."""

    delta: str


class OutputAudioTranscriptDone(
    PartBase, tag="response.output_audio_transcript.done", kw_only=True
):
    """All that the audio says."""

    transcript: str


class OutputTextDelta(PartBase, tag="response.output_text.delta", kw_only=True):
    """More of a written reply."""

    delta: str


class OutputTextDone(PartBase, tag="response.output_text.done", kw_only=True):
    """A written reply."""

    text: str


class FunctionCallArgumentsDelta(
    ServerBase, tag="response.function_call_arguments.delta", kw_only=True
):
    """Arguments of a function, JSON."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str
    delta: str


class FunctionCallArgumentsDone(
    ServerBase, tag="response.function_call_arguments.done", kw_only=True
):
    """The function that is to be called."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str
    name: str
    arguments: str


# --- ours, for clients that ask for them -------------------------------------------------------


class StateEvent(ServerBase, tag="selftalk.state", kw_only=True):
    """What the self is doing."""

    state: Literal["listening", "thinking", "speaking"]


class PartialEvent(ServerBase, tag="selftalk.transcript.partial", kw_only=True):
    """What the user seems to have said so far; may still change."""

    item_id: str
    transcript: str


class IgnoredEvent(ServerBase, tag="selftalk.speech.ignored", kw_only=True):
    """A sound of the user was not answered, and why."""

    item_id: str
    reason: str


class TurnReported(ServerBase, tag="selftalk.turn.report", kw_only=True):
    """A turn is over: what was heard of it, and where its time went, in ms by stage."""

    response_id: str
    transcript: str
    reply: str
    heard: str
    interrupted: bool
    stages: dict[str, float]
    voice_to_voice_ms: float | None


class ResumedEvent(ServerBase, tag="selftalk.resumed", kw_only=True):
    """The conversation of an earlier connection goes on."""

    items: list[Item]


ServerEvent = (
    SessionCreated
    | SessionUpdated
    | Error
    | SpeechStarted
    | SpeechStopped
    | Committed
    | Cleared
    | TimeoutTriggered
    | TranscriptionDelta
    | TranscriptionCompleted
    | TranscriptionFailed
    | ItemAdded
    | ItemDone
    | ItemRetrieved
    | ItemDeleted
    | ItemTruncated
    | ResponseCreated
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | OutputAudioDelta
    | OutputAudioDone
    | OutputAudioTranscriptDelta
    | OutputAudioTranscriptDone
    | OutputTextDelta
    | OutputTextDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | StateEvent
    | PartialEvent
    | IgnoredEvent
    | TurnReported
    | ResumedEvent
)
