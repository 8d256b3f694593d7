"""Utterance: what the user is saying, from the first sound to its final transcript.

Knows nothing about replies; and the judgement whether its transcript deserves an answer.
"""

import re
from dataclasses import dataclass
from enum import Enum

from selftalk.stream.listening.partials import words_of

# Sounds of a listener who does not want the floor; any number of them in a row.
BACKCHANNELS_TEXT = """
    mhm mm mmm hm hmm uh-huh uhhuh huh uh um ah aha oh okay ok yeah yep yes right sure
    嗯 嗯嗯 哦 噢 啊 对 對 好 是 是的 うん ううん はい ええ へえ 네 응 어
"""
BACKCHANNELS = frozenset(BACKCHANNELS_TEXT.split())
ECHO_MIN_WORDS = 3  # shorter texts overlap with anything by chance
ECHO_SHARE = 0.8  # of the transcript's words found in the voice's words, in their order
ECHO_SLACK_WORDS = 8  # an echo is recent: words further back match by chance


class Phase(Enum):
    """How far an utterance is."""

    ACTIVE = 1
    PAUSED = 2
    ENDED = 3


@dataclass(slots=True, eq=False)
class Utterance:
    """One utterance of the user."""

    started_at: int
    """On the agent's clock."""
    tentative: bool = False
    """Whether it fell upon a reply that still goes on, until it is taken for a real barge-in."""
    overlapped: bool = False
    """Whether the agent's own voice was to be heard during it."""
    given: bool = False
    """Whether its end was found by somebody else, so that it surely is meant."""
    answer: bool = True
    """Whether it is answered without being asked to."""
    phase: Phase = Phase.ACTIVE
    ended_at: int = 0
    revision: int = 0
    """Of its latest transcription; 0 if none covers it."""
    transcript: str | None = None
    """The result of that transcription, once it is there."""


def reason_to_ignore(utterance: Utterance, transcript: str, spoken: str, *, speaking: bool) -> str:
    """Why this deserves no answer; empty if it does.

    Args:
        utterance: what was said.
        transcript: of it.
        spoken: what the agent said lately.
        speaking: whether it still speaks.
    """
    if not words_of(transcript):
        return "nothing understood"
    if utterance.given:
        return ""
    if utterance.overlapped and is_echo(transcript, spoken):
        return "echo"
    if utterance.tentative and speaking and is_backchannel(transcript):
        return "backchannel"
    return ""


def same_words(one: str, other: str) -> bool:
    """Whether two transcripts differ in nothing but case and punctuation."""
    return words_of(one) == words_of(other)


def is_backchannel(text: str) -> bool:
    """Whether a text is nothing but "mhm" and the like."""
    tokens = re.findall(r"[^\W_]+(?:-[^\W_]+)*", text.lower())
    return bool(tokens) and all(token in BACKCHANNELS for token in tokens)


def is_echo(transcript: str, spoken: str) -> bool:
    """Whether a transcript repeats, in their order, words that the agent itself was saying.

    Echo cancellation comes first; this catches what leaks through it. The voice cannot be told
    from the user's by its sound: it is a clone of it.
    """
    heard, said = words_of(transcript), words_of(spoken)
    if len(heard) < ECHO_MIN_WORDS:
        return False
    recent = said[-(2 * len(heard) + ECHO_SLACK_WORDS) :]
    return _common_in_order(heard, recent) >= ECHO_SHARE * len(heard)


def _common_in_order(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for place, candidate in enumerate(other, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == candidate else max(above, row[place - 1])
            diagonal = above
    return row[-1]
