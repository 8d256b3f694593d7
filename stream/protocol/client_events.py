"""The eleven events a client may send."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from selftalk.stream.protocol.items import Item
from selftalk.stream.protocol.settings import ResponseSettings

MAX_APPEND_BYTES = 15 << 20
Identifier = Annotated[str, Meta(max_length=128)]
EventId = Annotated[str, Meta(max_length=512)]


class ClientBase(Struct, kw_only=True):
    """Every event may carry an id of the client's own, which errors name."""

    event_id: EventId | None = None


class SessionUpdate(ClientBase, tag="session.update", kw_only=True):
    """Change settings: what is present replaces what is there, deep down; the rest stays."""

    session: dict[str, Any]


class InputAudioBufferAppend(ClientBase, tag="input_audio_buffer.append", kw_only=True):
    """Audio of the user, base64, at most 15 MiB; never acknowledged."""

    audio: Annotated[bytes, Meta(max_length=MAX_APPEND_BYTES)]


class InputAudioBufferCommit(ClientBase, tag="input_audio_buffer.commit", kw_only=True):
    """Make an utterance of what was appended; needed without turn detection."""


class InputAudioBufferClear(ClientBase, tag="input_audio_buffer.clear", kw_only=True):
    """Forget what was appended and not committed."""


class ConversationItemCreate(ClientBase, tag="conversation.item.create", kw_only=True):
    """Put an item into the conversation."""

    item: Item
    previous_item_id: Identifier | None = None
    """After this one; "root" is the front; nothing is the end."""


class ConversationItemRetrieve(ClientBase, tag="conversation.item.retrieve", kw_only=True):
    """Ask for an item as the server has it."""

    item_id: Identifier


class ConversationItemDelete(ClientBase, tag="conversation.item.delete", kw_only=True):
    """Take an item out of the conversation."""

    item_id: Identifier


class ConversationItemTruncate(ClientBase, tag="conversation.item.truncate", kw_only=True):
    """Say how much of a spoken reply was heard; the words after it are forgotten."""

    item_id: Identifier
    audio_end_ms: Annotated[int, Meta(ge=0, le=86_400_000)]
    content_index: Annotated[int, Meta(ge=0, le=0)] = 0


class ResponseCreate(ClientBase, tag="response.create", kw_only=True):
    """Ask for a reply to the conversation as it is."""

    response: ResponseSettings | UnsetType | None = UNSET


class ResponseCancel(ClientBase, tag="response.cancel", kw_only=True):
    """Stop the reply that is being made."""

    response_id: Identifier | None = None


class OutputAudioBufferClear(ClientBase, tag="output_audio_buffer.clear", kw_only=True):
    """Stop what is being played; over WebSocket the client does that by itself."""


ClientEvent = (
    SessionUpdate
    | InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | ConversationItemCreate
    | ConversationItemRetrieve
    | ConversationItemDelete
    | ConversationItemTruncate
    | ResponseCreate
    | ResponseCancel
    | OutputAudioBufferClear
)
