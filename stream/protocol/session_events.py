"""The events a server sends about the session, its input and its items, and those of ours."""

from typing import Literal

from msgspec import Struct

from selftalk.stream.protocol.items import Item
from selftalk.stream.protocol.settings import SessionSettings


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
    """The answer to `?resume=`: the conversation so far, or no items if it is not kept any more."""

    items: list[Item]
