"""Stopwatch: takes the time of every turn, from what passes through a session.

Knows the order of nothing: whatever is reached is marked, `metrics.py` makes stages of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selftalk.stream.dialogue.events import (
    CancelTurn,
    InputEvent,
    Notice,
    Output,
    Respond,
    Say,
    SpeechEnded,
    Synthesize,
    TextInput,
    Transcribe,
    TranscriptReady,
    TurnCancelled,
    TurnFinished,
    TurnStarted,
)
from selftalk.stream.dialogue.leading import Answer, UtteranceGiven
from selftalk.stream.dialogue.metrics import FIRST_PLAYED, SPEECH_END, TurnMetrics
from selftalk.stream.sound.io import SAMPLE_RATE_HZ

TIMED = frozenset(
    {SpeechEnded, TextInput, Say, UtteranceGiven, Answer, Transcribe, TranscriptReady, Respond}
    | {TurnStarted, Synthesize, CancelTurn}
)
"""Most of what passes is audio, of which there is nothing to note."""


@dataclass(frozen=True, slots=True)
class TurnReport:
    """What became of a turn, told once it is over."""

    turn_id: int
    transcript: str
    reply: str
    heard: str
    """What of the reply was really heard."""
    interrupted: bool
    metrics: TurnMetrics

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values for JSON, times in milliseconds."""
        whole = self.metrics.voice_to_voice_ms
        return {
            "turn": self.turn_id,
            "transcript": self.transcript,
            "reply": self.reply,
            "heard": self.heard,
            "interrupted": self.interrupted,
            "stages": {name: round(ms, 1) for name, ms in self.metrics.stages_ms().items()},
            "voice_to_voice_ms": None if whole is None else round(whole, 1),
        }


class Stopwatch:
    """Marks the turns of one session."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._utterance: dict[str, float] = {}
        self._turns: dict[int, TurnMetrics] = {}
        self._started: set[int] = set()
        self._position_samples = 0

    def mark(self, turn_id: int, name: str) -> None:
        """Something of a turn was reached; may be called from any thread."""
        metrics = self._turns.get(turn_id)
        if metrics is not None:
            metrics.mark(name, self._seconds())

    def listened_to(self, position_samples: int) -> None:
        """The input was listened to up to here."""
        self._position_samples = position_samples

    def played(self, turn_id: int, played_seconds: float) -> None:
        """So much of a turn's reply was heard by now."""
        metrics = self._turns.get(turn_id)
        if metrics is not None and played_seconds > 0:
            metrics.mark(FIRST_PLAYED, self._seconds() - played_seconds)

    def note(self, item: InputEvent | Output) -> None:
        """Something was told to the agent, or the agent asked for something."""
        if type(item) not in TIMED:
            return
        now = self._seconds()
        match item:
            case SpeechEnded():
                since = (self._position_samples - item.at_samples) / SAMPLE_RATE_HZ
                self._utterance |= {SPEECH_END: now - since, "endpoint": now}
            case TextInput() | Say() | UtteranceGiven() | Answer():
                self._utterance = {SPEECH_END: now}
            case Transcribe():
                self._utterance.pop("transcript", None)
                self._utterance["transcript_begun"] = now
            case TranscriptReady():
                self._utterance["transcript"] = now
            case Respond():  # perhaps only on suspicion
                self._turns[item.turn_id] = TurnMetrics()
            case TurnStarted():
                self._started.add(item.turn_id)
                self._turns.setdefault(item.turn_id, TurnMetrics()).update(self._utterance)
            case Synthesize():
                self.mark(item.turn_id, "first_clause")
            case CancelTurn() if item.turn_id not in self._started:
                self._turns.pop(item.turn_id, None)

    def report(self, notice: Notice) -> TurnReport | None:
        """The report of a turn, if this notice ends one."""
        if not isinstance(notice, TurnFinished | TurnCancelled):
            return None
        self._started.discard(notice.turn_id)
        return TurnReport(
            notice.turn_id,
            notice.transcript,
            notice.reply,
            notice.heard,
            isinstance(notice, TurnCancelled),
            self._turns.pop(notice.turn_id),
        )
