"""Connection: one client's conversation; what the client asks for, done with a Session.

Knows nothing about sockets: events come in by `take`, events go out through `send`.

    client events ─▶ Connection ─▶ Session ─▶ NoticeWriter ─▶ server events
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from selftalk.stream.dialogue.events import Interrupt
from selftalk.stream.dialogue.leading import Answer, SetManner, UtteranceGiven
from selftalk.stream.protocol import client_events as client
from selftalk.stream.protocol import server_events as events
from selftalk.stream.protocol.codec import ProtocolError
from selftalk.stream.protocol.items import MessageItem
from selftalk.stream.protocol.settings import (
    RealtimeSession,
    ResponseSettings,
    SemanticVad,
    ServerVad,
    SessionSettings,
)
from selftalk.stream.server.answering import Answering, ChosenVoice, effective, voice_of_reply
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.idle_timer import IdleTimer
from selftalk.stream.server.input_buffer import InputBuffer
from selftalk.stream.server.item_conversation import (
    ItemConversation,
    audio_taken_from,
    new_id,
)
from selftalk.stream.server.network import NetworkSink
from selftalk.stream.server.notice_writer import NoticeWriter
from selftalk.stream.server.session_settings import (
    answers,
    checked_voice,
    detection_of,
    merged,
    turn_config,
)
from selftalk.stream.server.session_stages import ChosenLanguage, JudgeOnDemand, stages_of_session
from selftalk.stream.server.side_reply import SideReplies
from selftalk.stream.server.wire_audio import WireDecoder
from selftalk.stream.session import Session
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.io import SAMPLE_RATE_HZ
from selftalk.stream.synthesis.styles import voice_of

SHORTEST_COMMIT_MS = 100
TICK_SECONDS = 0.1


class Connection:
    """Holds one conversation; `run` until the client has gone."""

    def __init__(
        self,
        context: ServerContext,
        settings: SessionSettings,
        conversation: ItemConversation,
        send: Callable[[events.ServerEvent], None],
    ) -> None:
        self.settings = settings
        self.conversation = conversation
        self._context = context
        self._send = send
        shared = context.stages
        self._answering = Answering(shared.responder, self._reply_settings())
        self._voice = ChosenVoice(shared.synthesizer, shared.voice)
        self._answering.on_reply = self._voice.begin_reply
        self._language = ChosenLanguage(shared.recognizer, context.language)
        self._judge = JudgeOnDemand(shared.end_of_turn) if shared.end_of_turn else None
        self._stages = stages_of_session(
            shared, self._answering, self._voice, self._language, self._judge
        )
        self._detector = context.make_detector(context.config.turns)
        self._input = InputBuffer(
            settings.audio.input.format,
            self._detector.frame_samples,
            context.server.audio_burst_seconds,
        )
        self._voice_name = context.default_voice
        self._notices = NoticeWriter(
            conversation,
            self._reply_settings,
            shared.synthesizer.sample_rate_hz,
            send,
            context.telemetry,
            conversation_id=new_id("conv"),
            transcribes=lambda: self.settings.audio.input.transcription is not None,
        )
        self._answering.on_usage = self._notices.count_tokens
        self._sink = self._make_sink(self._notices)
        self._session = Session(
            self._stages,
            self._sink,
            self._input.source,
            self._detector,
            conversation=conversation,
            config=replace(
                context.config.agent,
                interrupt_after_ms=0,  # the detector waits; a client stops playing at once
                lead_ms=context.server.lead_ms,
                apology="",
                barge_in=True,
            ),
            tick_seconds=TICK_SECONDS,
        )
        self._session.subscribe(self._notices)
        self._idle = IdleTimer(lambda: self._input.appended_ms, self._nobody_spoke)
        self._session.subscribe(self._idle)
        self._side_replies = SideReplies(context, self._stages, send)
        self._apply(settings)

    async def run(self) -> None:
        """Hold the conversation until cancelled."""
        self._send(events.SessionCreated(session=self.settings))
        try:
            async with asyncio.TaskGroup() as group:
                self._side_replies.group = group
                await self._session.run()
        finally:
            self._idle.cancel()
            self._sink.close()

    async def finish_reply(self) -> None:
        """Wait until nothing is said or thought."""
        await self._session.rest()

    @property
    def queued_seconds(self) -> float:
        """How much of the client's audio waits to be listened to."""
        return self._input.source.queued_seconds

    def close(self) -> None:
        """Let `run` end."""
        self._session.close()

    @property
    def full(self) -> bool:
        """Whether the client should wait: its audio comes too fast."""
        return self._input.full

    async def room(self) -> None:
        """Wait until the client may go on."""
        await self._input.room()

    def take(self, event: client.ClientEvent) -> None:
        """Do what a client asks for; never waits.

        Raises:
            SelftalkError: it cannot be done; the conversation goes on.
        """
        match event:
            case client.InputAudioBufferAppend():
                by_hand = detection_of(self.settings) is None
                self._input.append(event.audio, keep=by_hand)
            case client.SessionUpdate():
                self._update(event)
            case client.InputAudioBufferCommit():
                self._commit()
            case client.InputAudioBufferClear():
                self._clear()
            case client.ConversationItemCreate():
                self._create_item(event)
            case client.ConversationItemRetrieve():
                self._send(events.ItemRetrieved(item=self.conversation.find(event.item_id).item))
            case client.ConversationItemDelete():
                self.conversation.remove(event.item_id)
                self._send(events.ItemDeleted(item_id=event.item_id))
            case client.ConversationItemTruncate():
                self._truncate(event)
            case client.ResponseCreate():
                self._create_response(event)
            case client.ResponseCancel():
                self._cancel_response(event)
            case client.OutputAudioBufferClear():
                if self._notices.active is None:
                    self._session.tell(Interrupt())

    # --- settings --------------------------------------------------------------------------------

    def _reply_settings(self) -> RealtimeSession:
        """The settings of replies; a session that only writes down has none."""
        settings = self.settings
        return settings if isinstance(settings, RealtimeSession) else RealtimeSession()

    def _update(self, event: client.SessionUpdate) -> None:
        changed = merged(self.settings, event.session)
        self._apply(changed)
        self._send(events.SessionUpdated(session=self.settings))

    def _apply(self, changed: SessionSettings) -> None:
        """Use other settings from now on; nothing changes if one of them is refused."""
        before = self.settings
        if isinstance(changed, RealtimeSession):
            self._check_self(changed)
            self._choose_voice(changed)
        heard = changed.audio.input
        if heard.format != before.audio.input.format:
            self._input.use(heard.format)
        if (heard.turn_detection is None) != (before.audio.input.turn_detection is None):
            self._forget_speech()
        detection = heard.turn_detection
        self._detector.config = turn_config(self._context.config.turns, detection)
        self._notices.pre_roll_samples = self._detector.config.pre_roll_ms * SAMPLE_RATE_HZ // 1000
        self._idle.timeout_ms = (
            detection.idle_timeout_ms if isinstance(detection, ServerVad) else None
        )
        if self._judge is not None:
            self._judge.enabled = isinstance(detection, SemanticVad)
        if heard.transcription is not None and heard.transcription.language:
            self._language.language = heard.transcription.language
        self.settings = changed
        self._answering.settings = self._reply_settings()
        self._choose_self()
        self._session.tell(
            SetManner(
                answer=answers(changed),
                interrupt=detection is None or detection.interrupt_response,
                voiced=self._reply_settings().output_modalities == ["audio"],
            )
        )

    def _check_self(self, changed: RealtimeSession) -> None:
        name, known = changed.selftalk.self, sorted(self._context.selves)
        if name and name != self._context.self_name and name not in known:
            raise ProtocolError(
                f"there is no self '{name[:64]}'; known: {', '.join(known)}", "invalid_value"
            )

    def _choose_voice(self, changed: RealtimeSession) -> None:
        output = changed.audio.output
        name = self._allowed_voice(output.voice_name)
        if name != self._voice_name:
            self._voice.voice = self._context.voice_named(name)
        self._voice.speed = output.speed
        self._voice_name = name

    def _allowed_voice(self, wanted: str) -> str:
        """The name of a voice that may be used now; its style may always change."""
        name = checked_voice(wanted, self._context.voice_names())
        if self._notices.voice_was_heard and voice_of(name) != voice_of(self._voice_name):
            raise ProtocolError("the voice stays once it was heard", "cannot_update_voice")
        return name

    def _choose_self(self) -> None:
        """Talk as whom the client chose; what it cannot choose stays as the server has it."""
        chosen = self._reply_settings().selftalk
        chosen.selves = sorted(self._context.selves)
        chosen.self = chosen.self or self._context.self_name
        other = self._context.selves.get(chosen.self)
        if other is None or chosen.self == self._context.self_name:
            self._answering.persona = ""
        else:
            self._answering.persona = other.instructions()

    # --- what is heard ---------------------------------------------------------------------------

    def _commit(self) -> None:
        by_hand = detection_of(self.settings) is None
        speech = self._input.take() if by_hand else self._detector.speech
        if speech is None or speech.duration_ms < SHORTEST_COMMIT_MS:
            raise ProtocolError(
                f"at least {SHORTEST_COMMIT_MS} ms of audio are needed",
                "input_audio_buffer_commit_empty",
            )
        item_id = self._notices.end_utterance()
        if not by_hand:
            self._session.discard_speech()
            self._notices.offset_samples = self._input.appended_samples
        self._notices.utterance(item_id, speech.duration_seconds)
        self._session.tell(UtteranceGiven(speech, answer=answers(self.settings)))

    def _clear(self) -> None:
        self._forget_speech()
        self._input.reset()
        self._send(events.Cleared())

    def _nobody_spoke(self, since_ms: int) -> None:
        """The user was silent for long: that is an utterance too, an empty one."""
        if self._notices.active is not None or self._session.answer_is_due:
            return
        item_id, now_ms = self._notices.end_utterance(), self._input.appended_ms
        self._send(
            events.TimeoutTriggered(item_id=item_id, audio_start_ms=since_ms, audio_end_ms=now_ms)
        )
        self._notices.utterance(item_id, (now_ms - since_ms) / 1000)
        silence = AudioChunk(np.zeros(SAMPLE_RATE_HZ // 10, np.float32), SAMPLE_RATE_HZ)
        self._session.tell(UtteranceGiven(silence, answer=False))
        voiced = self._reply_settings().output_modalities == ["audio"]
        self._session.tell(Answer(voiced=voiced))

    def _forget_speech(self) -> None:
        self._input.discard()
        self._session.discard_speech()
        self._notices.discard_utterance()
        self._notices.offset_samples = self._input.appended_samples

    # --- the conversation ------------------------------------------------------------------------

    def _create_item(self, event: client.ConversationItemCreate) -> None:
        stored = self.conversation.add(event.item, event.previous_item_id)
        item = stored.item
        spoken = audio_taken_from(item) if isinstance(item, MessageItem) else b""
        before = self.conversation.id_before(stored.item_id)
        self._send(events.ItemAdded(item=item, previous_item_id=before))
        self._send(events.ItemDone(item=item, previous_item_id=before))
        if spoken:
            self._transcribe_item(stored.item_id, spoken)

    def _transcribe_item(self, item_id: str, encoded: bytes) -> None:
        decoder = WireDecoder(self.settings.audio.input.format)
        samples = np.concatenate([decoder.push(encoded), decoder.flush()])
        chunk = AudioChunk(samples, SAMPLE_RATE_HZ)
        self.conversation.expect_user(item_id)
        self._notices.transcript_due(item_id, chunk.duration_seconds)
        self._session.tell(UtteranceGiven(chunk, answer=False))

    def _truncate(self, event: client.ConversationItemTruncate) -> None:
        text, samples = self.conversation.truncate(event.item_id, event.audio_end_ms)
        turn_id = self._notices.turn_of(event.item_id)
        if turn_id:
            self._sink.cut_at(turn_id, samples)
            if self._notices.replies[turn_id].done and self._session.turn_id == turn_id:
                self._session.tell(Interrupt())
        self._send(
            events.ItemTruncated(
                item_id=event.item_id, audio_end_ms=event.audio_end_ms, transcript=text
            )
        )

    # --- replies ---------------------------------------------------------------------------------

    def _create_response(self, event: client.ResponseCreate) -> None:
        wanted = event.response if isinstance(event.response, ResponseSettings) else None
        if not isinstance(self.settings, RealtimeSession):
            raise ProtocolError("this session only writes down", "invalid_event")
        if wanted is not None and wanted.conversation == "none":
            self._side_replies.begin(self.settings, wanted, self.conversation)
            return
        if self._notices.active is not None or self._session.answer_is_due:
            raise ProtocolError(
                "a response is being made; wait for response.done or cancel it",
                "conversation_already_has_active_response",
            )
        settings = effective(self.settings, wanted)
        name = voice_of_reply(wanted)
        self._voice.next = self._context.voice_named(self._allowed_voice(name)) if name else None
        self._answering.next = wanted
        self._notices.next_settings = settings
        self._notices.next_metadata = wanted.metadata if wanted else None
        self._session.tell(Answer(voiced=settings.output_modalities == ["audio"]))

    def _cancel_response(self, event: client.ResponseCancel) -> None:
        if event.response_id and self._side_replies.cancel(event.response_id):
            return
        active = self._notices.active
        waiting = active is None and self._session.answer_is_due
        other = event.response_id and active and active.response_id != event.response_id
        if (active is None and not waiting) or other:
            raise ProtocolError("there is no such response to cancel", "response_cancel_not_active")
        self._notices.cancelled_by_client = True
        self._session.tell(Interrupt())

    def _make_sink(self, notices: NoticeWriter) -> NetworkSink:
        return NetworkSink(
            time.monotonic,
            complete=notices.complete,
            underrun=lambda: self._context.telemetry.count("underruns_total"),
        )
