"""Settings of a session: merged with what a client wants changed, checked, and put to use.

Knows nothing about sockets. The names of OpenAI's voices are other names of the default voice, so
that programs written for OpenAI work; any other unknown voice is refused.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from selftalk.stream.dialogue.turns import TurnConfig
from selftalk.stream.errors import SelftalkError
from selftalk.stream.protocol.codec import ProtocolError
from selftalk.stream.protocol.settings import (
    RealtimeSession,
    SemanticVad,
    ServerVad,
    SessionSettings,
    TurnDetection,
)
from selftalk.stream.synthesis.styles import voice_of

Settings = TypeVar("Settings", bound=SessionSettings)
READ_ONLY = ("id", "object", "expires_at")
OPENAI_VOICES = frozenset(
    "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split()
)
LONGEST_WAIT_MS = {"low": 8000, "medium": 4000, "high": 2000, "auto": 4000}
USUAL_WAIT_MS = {"low": 1500, "medium": 700, "high": 400, "auto": 700}


def merged(settings: Settings, patch: Mapping[str, Any]) -> Settings:
    """Settings with what a client wants changed: deep down, what is present replaces.

    Raises:
        ProtocolError: a value is of the wrong type or out of range, or `type` differs.
    """
    current = msgspec.to_builtins(settings)
    wanted = {name: value for name, value in patch.items() if name not in READ_ONLY}
    if wanted.get("type", current["type"]) != current["type"]:
        raise ProtocolError(
            f"this is a session of type '{current['type']}', and stays one", "invalid_value"
        )
    if wanted.get("instructions", "") is None:
        wanted["instructions"] = ""
    try:
        return msgspec.convert(_merge(current, wanted), type(settings))
    except (msgspec.ValidationError, RecursionError) as error:
        raise ProtocolError(f"session: {error}", "invalid_value") from None


def _merge(current: Any, wanted: Any) -> Any:
    """Objects of the same `type` are merged; everything else is replaced."""
    if not isinstance(current, dict) or not isinstance(wanted, Mapping):
        return wanted
    if wanted.get("type", current.get("type")) != current.get("type"):
        return wanted
    return current | {name: _merge(current.get(name), value) for name, value in wanted.items()}


def turn_config(base: TurnConfig, detection: TurnDetection | None) -> TurnConfig:
    """How the turn detector has to be set."""
    if isinstance(detection, ServerVad):
        silence_ms = detection.silence_duration_ms
        start = max(0.05, detection.threshold)
        return replace(
            base,
            start_threshold=start,
            end_threshold=min(base.end_threshold, start * 0.7),
            interrupting_threshold=max(base.interrupting_threshold, start),
            pre_roll_ms=detection.prefix_padding_ms,
            pause_ms=min(base.pause_ms, silence_ms),
            shortest_wait_ms=silence_ms,
            usual_wait_ms=silence_ms,
            longest_wait_ms=silence_ms,
        )
    if isinstance(detection, SemanticVad):
        usual_ms = USUAL_WAIT_MS[detection.eagerness]
        return replace(
            base,
            shortest_wait_ms=min(base.shortest_wait_ms, usual_ms),
            usual_wait_ms=usual_ms,
            longest_wait_ms=LONGEST_WAIT_MS[detection.eagerness],
        )
    return base


def detection_of(settings: SessionSettings) -> TurnDetection | None:
    """Who finds the turns; None if the client does."""
    return settings.audio.input.turn_detection


def answers(settings: SessionSettings) -> bool:
    """Whether what is heard is answered without being asked to."""
    detection = detection_of(settings)
    return (
        isinstance(settings, RealtimeSession)
        and detection is not None
        and detection.create_response
    )


def checked_voice(name: str, known: list[str]) -> str:
    """The name of a voice there is.

    Raises:
        ProtocolError: there is none of this name.
    """
    if voice_of(name) in known:
        return name
    if name in OPENAI_VOICES:
        return "default"
    listed = ", ".join(known[:12])
    raise ProtocolError(f"there is no voice '{name[:64]}'; known: {listed}", "invalid_value")


def sentence(error: SelftalkError) -> str:
    """What went wrong, for a client."""
    return str(error)[:400]
