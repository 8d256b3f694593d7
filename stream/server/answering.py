"""Answering: the shared responder and synthesizer as one session wants them.

A session has instructions, functions, a voice and a speed of its own; one reply may have others.
Knows nothing about sockets or turns.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from msgspec import UNSET, structs, to_builtins

from selftalk.stream.dialogue.conversation import Message, ToolCall
from selftalk.stream.minds.chat_client import Delta, TextDelta, ToolCallDelta, UsageDelta
from selftalk.stream.minds.responder import Responder
from selftalk.stream.protocol.settings import RealtimeSession, ResponseSettings
from selftalk.stream.server.item_conversation import new_id
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.speech import Marks, SpeechChunk, SpeechSynthesizer
from selftalk.stream.synthesis.styles import Style

FIRST_WORDS = "Hello."
"""What a model is told that is asked to speak before anybody has."""


@runtime_checkable
class CallsFunctions(Protocol):
    """A responder whose model can ask for functions."""

    def stream(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]] = (),
        options: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield a reply with the calls in it."""
        ...


class Answering:
    """A Responder for one session."""

    def __init__(self, shared: Responder, settings: RealtimeSession) -> None:
        self.settings = settings
        self.persona = ""
        """Instructions of a self that was chosen; those of the session win."""
        self.next: ResponseSettings | None = None
        """What is different for the next reply only."""
        self.on_reply: Callable[[], None] = lambda: None
        """Called when a reply begins."""
        self.on_usage: Callable[[int, int], None] = lambda _read, _written: None
        """Called with the tokens that a model has read and written, if it tells them."""
        self._shared = shared

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the reply's text and the calls in it."""
        self.on_reply()
        wanted, self.next = effective(self.settings, self.next), None
        said = list(messages)
        if not any(message.role in ("user", "tool") for message in said):
            said.append(Message("user", FIRST_WORDS))
        if instructions := wanted.instructions or self.persona:
            said.insert(0, Message("system", instructions))
        if isinstance(self._shared, CallsFunctions):
            async with aclosing(self._with_functions(self._shared, said, wanted)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        plain = [m for m in said if m.role != "tool" and m.text]
        async with aclosing(self._shared.reply(plain)) as texts:
            async for text in texts:
                yield text

    async def warm_up(self) -> None:
        """The shared one is warm."""

    async def close(self) -> None:
        """The shared one is not ours to close."""

    async def _with_functions(
        self, model: CallsFunctions, messages: list[Message], wanted: RealtimeSession
    ) -> AsyncGenerator[str | ToolCall, None]:
        calls: dict[int, ToolCall] = {}
        offered = [] if wanted.tool_choice == "none" else [_offered(t) for t in wanted.tools]
        deltas = model.stream(messages, offered, _options(wanted, bool(offered)))
        async with aclosing(deltas):
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    yield delta.text
                elif isinstance(delta, UsageDelta):
                    self.on_usage(delta.read_tokens, delta.written_tokens)
                else:
                    calls[delta.index] = _joined(calls.get(delta.index), delta)
        for _, call in sorted(calls.items()):
            yield replace(call, call_id=call.call_id or new_id("call"))


class ChosenVoice:
    """The voice of one session, which may change, and the shared synthesizer that speaks in it."""

    def __init__(self, shared: SpeechSynthesizer[Any], voice: Any) -> None:
        self.voice = voice
        self.next: Any = None
        """Of the next reply only, if it has one of its own."""
        self.speed = 1.0
        self._of_reply: Any = None
        self._shared = shared

    @property
    def sample_rate_hz(self) -> int:
        """The rate of every chunk."""
        return self._shared.sample_rate_hz

    def begin_reply(self) -> None:
        """Speak in the next reply's voice from now on."""
        self._of_reply, self.next = self.next, None

    @property
    def chosen(self) -> Any:
        """The voice of this reply."""
        return self._of_reply or self.voice

    def in_style(self, style: Style) -> Any:
        """The voice of this reply in a style."""
        return self.chosen.in_style(style)

    def stream(
        self,
        text: str,
        voice: Any,
        *,
        stop: StopFlag | None = None,
        marks: Marks | None = None,
    ) -> Iterator[SpeechChunk]:
        """Yield the speech of a sentence; this value as a voice means the session's."""
        options = getattr(self._shared, "options", None)
        voice = self.chosen if voice is self else voice
        if self.speed == 1.0 or options is None:
            return self._shared.stream(text, voice, stop=stop, marks=marks)
        faster = replace(options, speed=min(2.0, max(0.5, options.speed * self.speed)))
        stream: Any = self._shared.stream
        found: Iterator[SpeechChunk] = stream(text, voice, stop=stop, marks=marks, options=faster)
        return found


def effective(settings: RealtimeSession, reply: ResponseSettings | None) -> RealtimeSession:
    """The session's settings, with those of one reply."""
    if reply is None:
        return settings
    names = ("instructions", "tools", "tool_choice", "max_output_tokens", "output_modalities")
    changes = {name: getattr(reply, name) for name in names if getattr(reply, name) is not UNSET}
    return structs.replace(settings, **changes)


def voice_of_reply(reply: ResponseSettings | None) -> str:
    """The voice that one reply asks for; empty for the session's."""
    if reply is None or reply.audio is UNSET or reply.audio.output.voice is UNSET:
        return ""
    voice = reply.audio.output.voice
    return voice if isinstance(voice, str) else voice.id


def _options(wanted: RealtimeSession, offers_functions: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if isinstance(wanted.max_output_tokens, int):
        options["max_tokens"] = wanted.max_output_tokens
    if offers_functions and wanted.tool_choice != "auto":
        choice = wanted.tool_choice
        named = {"type": "function", "function": {"name": getattr(choice, "name", "")}}
        options["tool_choice"] = choice if isinstance(choice, str) else named
    return options


def _offered(tool: Any) -> dict[str, Any]:
    """A function as the chat API wants it described."""
    described = to_builtins(tool)
    described.pop("type", None)
    return {"type": "function", "function": described}


def _joined(call: ToolCall | None, delta: ToolCallDelta) -> ToolCall:
    if call is None:
        return ToolCall(delta.call_id, delta.name, delta.arguments)
    return ToolCall(
        call.call_id or delta.call_id, call.name or delta.name, call.arguments + delta.arguments
    )
