"""Items of a conversation as they are sent: messages, calls of functions, and their results."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

Status = Literal["completed", "incomplete", "in_progress"]


class InputText(Struct, tag="input_text", kw_only=True):
    """Text of the user or of the system."""

    text: str


class InputAudio(Struct, tag="input_audio", kw_only=True):
    """The user's voice; its audio is never sent back."""

    audio: bytes | UnsetType = UNSET
    transcript: str | None = None


class OutputText(Struct, tag="output_text", kw_only=True):
    """Text of a reply that is only written."""

    text: str


class OutputAudio(Struct, tag="output_audio", kw_only=True):
    """A spoken reply; its audio is sent in deltas only."""

    transcript: str | None = None
    audio: bytes | UnsetType = UNSET


Content = InputText | InputAudio | OutputText | OutputAudio


class MessageItem(Struct, tag="message", kw_only=True):
    """What somebody said."""

    role: Literal["system", "user", "assistant"]
    content: list[Content]
    id: str | None = None
    object: Literal["realtime.item"] = "realtime.item"
    status: Status = "completed"


class FunctionCallItem(Struct, tag="function_call", kw_only=True):
    """A function that the model asks the client to call."""

    name: str
    arguments: str
    call_id: str = ""
    id: str | None = None
    object: Literal["realtime.item"] = "realtime.item"
    status: Status = "completed"


class FunctionCallOutputItem(Struct, tag="function_call_output", kw_only=True):
    """What a function returned."""

    call_id: str
    output: str
    id: str | None = None
    object: Literal["realtime.item"] = "realtime.item"
    status: Status = "completed"


Item = MessageItem | FunctionCallItem | FunctionCallOutputItem


class AudioPart(Struct, tag="audio", kw_only=True):
    """The spoken part of a reply, in `response.content_part` events."""

    transcript: str = ""


class TextPart(Struct, tag="text", kw_only=True):
    """The written part of a reply."""

    text: str = ""


Part = AudioPart | TextPart
