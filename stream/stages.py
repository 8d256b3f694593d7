"""Stages: everything a session needs to hear, answer and speak, as one value.

Only puts together what others made; sessions of a server share one.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from selftalk.stream.minds.responder import Responder
from selftalk.stream.synthesis.speech import SpeechSynthesizer

if TYPE_CHECKING:  # names only: a session loads no model that it is not given
    from selftalk.stream.listening.end_of_turn import EndOfTurn
    from selftalk.stream.listening.recognizer import Recognizer

Busy = Callable[[], AbstractContextManager[None]]
"""Entered while a computation is awaited: the fast clock of files stands still meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The models of a conversation."""

    recognizer: "Recognizer"
    responder: Responder
    synthesizer: SpeechSynthesizer[Any]
    voice: Any
    """Whatever the synthesizer takes as a voice; `in_style` gives it in a style."""
    end_of_turn: "EndOfTurn | None" = None
    """Judges pauses; without it every pause lasts the usual time."""
    language: str | None = None
    """What the user speaks; None for the recogniser's own."""
    busy: Busy = nullcontext
    recognizing: threading.Lock = field(default_factory=threading.Lock)
    """Held during a call of the recogniser: one at a time, whoever calls."""
