"""AgentConfig: the settings `[agent]`, how a conversation is held."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

Milliseconds = Annotated[int, Meta(ge=0, le=120_000)]
Decibels = Annotated[float, Meta(ge=0, le=60)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """When to answer, when to fall silent, when to give up."""

    barge_in: bool = True
    """Whether the user may interrupt. False does not listen while it speaks: for loudspeakers
    without echo cancellation."""
    duck_db: Decibels = 12.0
    """How much lower the voice is while the user may be speaking."""
    interrupt_after_ms: Milliseconds = 80
    """Speech that lasts so long after it was detected cuts the reply."""
    speculate_transcript: bool = True
    """Recognise in every pause, before it is certain that the user has finished."""
    speculate_reply: bool = True
    """Begin the reply to that transcript; it is discarded if the user goes on to say more."""
    speculate_speech: bool = True
    """Begin to synthesise that reply's first sentence."""
    lead_ms: Annotated[int, Meta(ge=200, le=30_000)] = 3000
    """How much audio is generated ahead of what is heard: longer bridges slow moments, shorter
    wastes less when the user interrupts."""
    thinking_timeout_ms: Milliseconds = 20_000
    """How long recogniser, responder, or synthesizer may give nothing."""
    playback_timeout_ms: Milliseconds = 4000
    """How long the loudspeaker may stand still."""
    max_reply_characters: Annotated[int, Meta(ge=1, le=100_000)] = 2000
    """A reply that is longer is stopped there, at the end of a piece."""
    max_context_characters: Annotated[int, Meta(ge=1)] = 8000
    """How much of the conversation the responder is told."""
    apology: str = "Sorry, something went wrong just now. Could you say that again?"
    """Spoken when a reply could not be had; empty to say nothing."""
