"""The events of replies, each with every field that strict clients require."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from selftalk.stream.protocol.items import Item, Part
from selftalk.stream.protocol.session_events import ServerBase
from selftalk.stream.protocol.settings import AudioFormat, MaxTokens


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


class CachedTokens(Struct, kw_only=True):
    """Always none: nothing is remembered between requests."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class InputTokens(Struct, kw_only=True):
    """What a reply was made from."""

    text_tokens: int = 0
    audio_tokens: int = 0
    """Always 0: the model reads what was said, and never hears it."""
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: CachedTokens = field(default_factory=CachedTokens)


class OutputTokens(Struct, kw_only=True):
    """What a reply consists of."""

    text_tokens: int = 0
    audio_tokens: int = 0
    """One for every 50 ms begun, as OpenAI counts them."""


class Usage(Struct, kw_only=True):
    """The size of a reply. Text is counted by the model; one that does not tell counts 0."""

    total_tokens: int
    input_tokens: int
    output_tokens: int
    input_token_details: InputTokens
    output_token_details: OutputTokens


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
    usage: Usage | None = None
    """Null while the reply is being made."""
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
