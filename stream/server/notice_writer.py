"""NoticeWriter: what happens in a Session, told to the client as events of the protocol.

Knows nothing about sockets, and nothing about what clients ask for, except what a listener of the
session must know: which reply has settings of its own, and who cut the last one.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from selftalk.stream.dialogue.events import (
    AudioReady,
    Failure,
    PartialTranscript,
    ReplyDelta,
    SentenceReady,
    SpeechEnded,
    SpeechIgnored,
    SpeechStarted,
    Stage,
    StateChanged,
    ToolCalled,
    TurnCancelled,
    TurnFinished,
    TurnStarted,
    UserSaid,
)
from selftalk.stream.dialogue.reply import Reply
from selftalk.stream.protocol import server_events as events
from selftalk.stream.protocol.settings import RealtimeSession
from selftalk.stream.server.item_conversation import ItemConversation, new_id
from selftalk.stream.server.reply_writer import ReplyWriter
from selftalk.stream.server.telemetry import Telemetry
from selftalk.stream.session import SessionNotice
from selftalk.stream.sound.io import SAMPLE_RATE_HZ
from selftalk.stream.stopwatch import TurnReport

Send = Callable[[events.ServerEvent], None]
REMEMBERED_REPLIES = 8


class NoticeWriter:
    """A listener of one session."""

    def __init__(
        self,
        conversation: ItemConversation,
        settings: Callable[[], RealtimeSession],
        rate_hz: int,
        send: Send,
        telemetry: Telemetry,
        *,
        conversation_id: str | None,
        transcribes: Callable[[], bool] = lambda: True,
    ) -> None:
        """Take what it needs.

        Args:
            conversation: where items are.
            settings: of the session, as they are now.
            rate_hz: of the replies' audio.
            send: takes the events.
            telemetry: counts and takes times.
            conversation_id: None for a reply outside of the conversation.
            transcribes: whether the client wants to read what the user said.
        """
        self.next_settings: RealtimeSession | None = None
        self.next_metadata: dict[str, str] | None = None
        self.cancelled_by_client = False
        self.pre_roll_samples = 0
        self.offset_samples = 0
        """Where the turn detector's count begins, on the session's own."""
        self.replies: dict[int, ReplyWriter] = {}
        self.voice_was_heard = False
        self.reply_over = asyncio.Event()
        """Set when the first reply came to its end."""
        self._conversation = conversation
        self._settings = settings
        self._rate_hz = rate_hz
        self._send = send
        self._telemetry = telemetry
        self._conversation_id = conversation_id
        self._transcribes = transcribes
        self._utterance_id = ""
        self._transcripts_due: deque[tuple[str, float]] = deque()
        self._failure: Failure | None = None

    # --- what a connection asks and tells --------------------------------------------------------

    @property
    def active(self) -> ReplyWriter | None:
        """The reply that is being made."""
        return next((reply for reply in self.replies.values() if not reply.done), None)

    def count_tokens(self, read: int, written: int) -> None:
        """The language model tells how much text it read and wrote for the reply under way."""
        if self.active is not None:
            self.active.text_tokens = read, written

    def turn_of(self, item_id: str) -> int:
        """The turn whose message is this item; 0 if it is an old one."""
        for turn_id, reply in self.replies.items():
            if reply.message is not None and reply.message.item.id == item_id:
                return turn_id
        return 0

    def utterance(self, item_id: str, seconds: float) -> None:
        """An utterance is complete, whoever found its end: it becomes an item."""
        stored = self._conversation.user_item(item_id)
        before = self._conversation.id_before(item_id)
        self._send(events.Committed(item_id=item_id, previous_item_id=before))
        self._send(events.ItemAdded(item=stored.item, previous_item_id=before))
        self._send(events.ItemDone(item=stored.item, previous_item_id=before))
        self.transcript_due(item_id, seconds)

    def transcript_due(self, item_id: str, seconds: float) -> None:
        """The next thing that the user is found to have said is this item's."""
        self._transcripts_due.append((item_id, seconds))

    def new_utterance(self) -> str:
        """The id of what the user begins to say; the one under way if there is one."""
        if not self._utterance_id:
            self._utterance_id = new_id("item")
            self._conversation.expect_user(self._utterance_id)
        return self._utterance_id

    def end_utterance(self) -> str:
        """The id of what the user has just said."""
        item_id, self._utterance_id = self.new_utterance(), ""
        return item_id

    def discard_utterance(self) -> None:
        """What the user is saying is not wanted."""
        self._conversation.unexpect_user(self._utterance_id)
        self._utterance_id = ""

    def complete(self, turn_id: int) -> None:
        """All audio of a reply was made; it is still to be heard."""
        if turn_id in self.replies:
            self.replies[turn_id].finish()
            self.reply_over.set()

    # --- what happens ----------------------------------------------------------------------------

    def __call__(self, notice: SessionNotice) -> None:
        """Tell it."""
        match notice:
            case AudioReady():  # first, because by far the most
                self._on_audio(notice)
            case SpeechStarted() | SpeechEnded() | UserSaid() | SpeechIgnored():
                self._on_user(notice)
            case PartialTranscript() | StateChanged() | TurnReport():
                self._on_extra(notice)
            case Failure():
                self._on_failure(notice)
            case TurnStarted():
                self._begin_reply(notice.turn_id)
            case TurnFinished():
                self.complete(notice.turn_id)
                self._conversation.reply_over()
            case TurnCancelled():
                self._cancel_reply(notice.turn_id)
            case ReplyDelta() | SentenceReady() | ToolCalled():
                self._on_reply(notice)
            case _:
                pass

    def _on_user(self, notice: SpeechStarted | SpeechEnded | UserSaid | SpeechIgnored) -> None:
        match notice:
            case SpeechStarted():
                start = self.offset_samples + notice.at_samples - self.pre_roll_samples
                self._send(
                    events.SpeechStarted(
                        item_id=self.new_utterance(), audio_start_ms=max(0, _ms(start))
                    )
                )
            case SpeechEnded():
                item_id = self.end_utterance()
                end_ms = _ms(self.offset_samples + notice.at_samples)
                self._send(events.SpeechStopped(item_id=item_id, audio_end_ms=end_ms))
                self.utterance(item_id, notice.audio.duration_seconds)
            case UserSaid():
                self._transcribed(notice.text)
            case SpeechIgnored():
                item_id = self._transcribed(notice.text)
                self._conversation.settle_user()
                self._send(events.IgnoredEvent(item_id=item_id, reason=notice.reason))

    def _transcribed(self, text: str) -> str:
        if not self._transcripts_due:
            return ""
        item_id, seconds = self._transcripts_due.popleft()
        if self._transcribes():
            if text:
                self._send(events.TranscriptionDelta(item_id=item_id, delta=text))
            usage = events.DurationUsage(seconds=round(seconds, 3))
            self._send(events.TranscriptionCompleted(item_id=item_id, transcript=text, usage=usage))
        return item_id

    def _on_extra(self, notice: PartialTranscript | StateChanged | TurnReport) -> None:
        match notice:
            case PartialTranscript():
                item_id = self._utterance_id
                self._send(events.PartialEvent(item_id=item_id, transcript=notice.text))
            case StateChanged():
                self._send(events.StateEvent(state=notice.state.value))
            case TurnReport():
                self._measure(notice)
                described = notice.as_dict()
                reply = self.replies.get(notice.turn_id)
                self._send(
                    events.TurnReported(
                        response_id=reply.response_id if reply else "",
                        transcript=notice.transcript,
                        reply=notice.reply,
                        heard=notice.heard,
                        interrupted=notice.interrupted,
                        stages=described["stages"],
                        voice_to_voice_ms=described["voice_to_voice_ms"],
                    )
                )

    def _measure(self, report: TurnReport) -> None:
        self._telemetry.count("turns_total", outcome="cut" if report.interrupted else "heard")
        for stage, milliseconds in report.metrics.stages_ms().items():
            self._telemetry.observe("stage_seconds", milliseconds / 1000, stage=stage)
        whole = report.metrics.voice_to_voice_ms
        if whole is not None:
            self._telemetry.observe("voice_to_voice_seconds", whole / 1000)

    def _on_failure(self, failure: Failure) -> None:
        self._telemetry.count("failures_total", stage=failure.stage.value)
        if failure.stage is not Stage.RECOGNIZER:
            self._failure = failure
        elif self._transcripts_due:
            item_id, _ = self._transcripts_due.popleft()
            self._conversation.settle_user()
            details = events.ErrorDetails(
                type="transcription_error", code="recognizer_failed", message=failure.message
            )
            self._send(events.TranscriptionFailed(item_id=item_id, error=details))

    # --- replies ---------------------------------------------------------------------------------

    def _begin_reply(self, turn_id: int) -> None:
        settings = self.next_settings or self._settings()
        metadata, self.next_settings, self.next_metadata = self.next_metadata, None, None
        self._failure, self.cancelled_by_client = None, False
        while len(self.replies) >= REMEMBERED_REPLIES:
            self.replies.pop(next(iter(self.replies)))
        reply = self.replies[turn_id] = ReplyWriter(
            msgspec.structs.replace(settings),
            self._conversation,
            self._rate_hz,
            self._send,
            conversation_id=self._conversation_id,
            metadata=metadata,
        )
        reply.start()

    def _on_audio(self, notice: AudioReady) -> None:
        reply = self.replies.get(notice.turn_id)
        if reply is not None:
            self.voice_was_heard = True
            reply.sound(notice.sentence, notice.audio, notice.words)

    def _on_reply(self, notice: ReplyDelta | SentenceReady | ToolCalled) -> None:
        reply = self.replies.get(notice.turn_id)
        if reply is None:
            return
        match notice:
            case ReplyDelta():
                reply.write(notice.text)
            case SentenceReady():
                reply.say(notice.text)
            case ToolCalled():
                reply.call(notice.call)

    def _cancel_reply(self, turn_id: int) -> None:
        reply = self.replies.get(turn_id)
        self._conversation.reply_over()
        if reply is None or reply.done:
            return
        self.reply_over.set()
        if self._failure is not None:
            code = f"{self._failure.stage.value}_failed"
            error = events.StatusError(
                type="server_error", code=code, message=self._failure.message
            )
            reply.finish("failed", events.StatusDetails(type="failed", error=error))
        elif self.cancelled_by_client:
            reply.finish("cancelled", _cancelled("client_cancelled"))
        else:
            reply.finish("cancelled", _cancelled("turn_detected"))
        stored = reply.message
        if stored is not None and stored.reply is None and reply.voiced:
            stored.reply = Reply()  # nothing of it was heard


def _cancelled(reason: str) -> events.StatusDetails:
    return msgspec.convert({"type": "cancelled", "reason": reason}, events.StatusDetails)


def _ms(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE_HZ
