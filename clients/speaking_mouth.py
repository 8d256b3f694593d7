"""SpeakingMouth: what a server tells of a conversation → the mouth of who is speaking, now.

Follows the observer's copy of the events (`/v1/realtime/observe`), where audio is told by its
length alone. Knows nothing about sockets, and nothing about avatars.
"""

from collections.abc import Mapping
from typing import Any

from selftalk.clients.mouth import LEAD_MS, MouthTimeline, Phone, guessed_phones
from selftalk.clients.playback_clock import PlaybackClock
from selftalk.clients.visemes import CLOSED, Mouth

Event = Mapping[str, Any]


class SpeakingMouth:
    """Push events as they come, ask for the mouth as often as it is drawn."""

    def __init__(self, lead_ms: float = LEAD_MS) -> None:
        self._clock = PlaybackClock()
        self._lead_ms = lead_ms
        self._item_id = ""
        self._timeline = MouthTimeline()
        self._interrupts = True

    def push(self, event: Event, now: float) -> None:
        """Something happened; `now` in seconds of the caller's clock."""
        match event.get("type"):
            case "response.output_audio.delta":
                self._hear(event, now)
            case "input_audio_buffer.speech_started" if self._interrupts:
                self._clock.cut(now)
            case "conversation.item.truncated" | "output_audio_buffer.cleared":
                self._clock.cut(now)
            case "response.done" if event["response"].get("status") == "cancelled":
                self._clock.cut(now)
            case "session.created" | "session.updated":
                self._interrupts = interrupts(event["session"])

    def at(self, now: float) -> Mouth | None:
        """The mouth at a moment; None while nobody speaks."""
        position = self._clock.position(now + self._lead_ms / 1000)
        if position is None:
            return None
        if position.item_id != self._item_id:
            return CLOSED
        return self._timeline.at(position.milliseconds)

    def _hear(self, event: Event, now: float) -> None:
        if event["item_id"] != self._item_id:
            self._item_id, self._timeline = event["item_id"], MouthTimeline()
        self._clock.push(event["item_id"], float(event.get("duration_ms", 0)), now)
        for word in event.get("words", ()):
            self._timeline.push(phones_of(word))


def phones_of(word: Event) -> list[Phone]:
    """The phones of a word on the wire, guessed where they are not told."""
    phones = word.get("phones")
    if not phones:
        return guessed_phones(word["text"], word["start_ms"], word["end_ms"])
    return [Phone(*phone) for phone in phones]


def interrupts(session: Event) -> bool:
    """Whether a session is one in which speech silences the reply."""
    detection = session.get("audio", {}).get("input", {}).get("turn_detection")
    return bool(detection and detection.get("interrupt_response", True))
