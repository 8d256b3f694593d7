"""Side replies: made beside the conversation (`conversation: "none"`), which never hears of them.

Each is a conversation of its own that lives for one reply. Knows nothing about sockets.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import msgspec

from selftalk.stream.dialogue.events import Interrupt
from selftalk.stream.dialogue.leading import Answer
from selftalk.stream.protocol import server_events as events
from selftalk.stream.protocol.codec import ProtocolError
from selftalk.stream.protocol.items import Item
from selftalk.stream.protocol.settings import RealtimeSession, ResponseSettings
from selftalk.stream.server.answering import (
    Answering,
    ChosenVoice,
    effective,
    voice_of_reply,
)
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.item_conversation import ItemConversation
from selftalk.stream.server.network import NetworkSink
from selftalk.stream.server.notice_writer import NoticeWriter
from selftalk.stream.server.session_settings import checked_voice
from selftalk.stream.session import Session
from selftalk.stream.stages import Stages

MAX_AT_ONCE = 4


class SideReplies:
    """The side replies of one connection."""

    def __init__(
        self,
        context: ServerContext,
        stages: Stages,
        send: Callable[[events.ServerEvent], None],
    ) -> None:
        self.group: asyncio.TaskGroup | None = None
        self._context = context
        self._stages = stages
        self._send = send
        self._running: dict[Session, NoticeWriter] = {}

    def begin(
        self, settings: RealtimeSession, wanted: ResponseSettings, main: ItemConversation
    ) -> None:
        """Make a reply.

        Raises:
            ProtocolError: its input is no list of items, or too many are being made.
            VoiceError: there is no such voice.
            ConsentError: it may not speak.
        """
        if len(self._running) >= MAX_AT_ONCE:
            raise ProtocolError(
                f"{MAX_AT_ONCE} responses at a time may be made beside the conversation",
                "rate_limit_exceeded",
            )
        conversation, stages = input_of(wanted, main), self._stages_of(wanted)
        assert self.group is not None
        self.group.create_task(self._make(settings, wanted, conversation, stages))

    def cancel(self, response_id: str) -> bool:
        """Stop a reply; False if there is none of this id."""
        for session, notices in self._running.items():
            if notices.active is not None and notices.active.response_id == response_id:
                notices.cancelled_by_client = True
                session.tell(Interrupt())
                return True
        return False

    def _stages_of(self, wanted: ResponseSettings) -> Stages:
        name = voice_of_reply(wanted)
        if not name:
            return self._stages
        voice = self._context.voice_named(checked_voice(name, self._context.voice_names()))
        return replace(
            self._stages, synthesizer=ChosenVoice(self._context.stages.synthesizer, voice)
        )

    async def _make(
        self,
        settings: RealtimeSession,
        wanted: ResponseSettings,
        conversation: ItemConversation,
        stages: Stages,
    ) -> None:
        chosen = effective(settings, wanted)
        answering = Answering(self._context.stages.responder, chosen)
        stages = replace(stages, responder=answering)
        rate_hz = stages.synthesizer.sample_rate_hz
        notices = NoticeWriter(
            conversation,
            lambda: chosen,
            rate_hz,
            self._send,
            self._context.telemetry,
            conversation_id=None,
        )
        notices.next_metadata = wanted.metadata
        sink = NetworkSink(time.monotonic, complete=notices.complete, underrun=_nobody_waits)
        config = replace(self._context.config.agent, apology="", lead_ms=30_000)
        session = Session(stages, sink, conversation=conversation, config=config)
        session.subscribe(notices)
        session.tell(Answer(voiced=chosen.output_modalities == ["audio"]))
        self._running[session] = notices
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(session.run())
                await notices.reply_over.wait()
                session.close()
        finally:
            del self._running[session]


def input_of(wanted: ResponseSettings, main: ItemConversation) -> ItemConversation:
    """What a reply is to be made from: the items given or named, else the conversation.

    Raises:
        ProtocolError: one of them is no item.
    """
    conversation = ItemConversation()
    if wanted.input is msgspec.UNSET:
        conversation.items = list(main.items)
        return conversation
    assert isinstance(wanted.input, list)
    for described in wanted.input:
        if described.get("type") == "item_reference":
            conversation.items.append(main.find(str(described.get("id"))))
            continue
        try:
            conversation.add(msgspec.convert(described, Item))
        except msgspec.ValidationError as error:
            raise ProtocolError(f"response.input: {error}", "invalid_value") from None
    return conversation


def _nobody_waits() -> None:
    """Nobody listens to a side reply as it is made."""
