"""Conversation: what was said, and what of it was really heard before a barge-in.

Knows nothing about audio, models, or the turn in progress: each reply tells by itself how much
of it was heard.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from selftalk.stream.dialogue.reply import Reply, join_text

Role = Literal["system", "user", "assistant", "tool"]

CUT_MARK = " —"  # how writers show a broken-off sentence; short, so that no model learns to say it


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the LLM asks somebody else to call."""

    call_id: str
    name: str
    arguments: str
    """JSON, as the LLM wrote it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said, by whom."""

    role: Role
    text: str
    cut: bool = False
    """Whether the listener broke in: what should have followed was never heard."""
    aside: bool = False
    """Whether it only reports a fault of ours (an apology); the LLM is not told of it."""
    calls: tuple[ToolCall, ...] = ()
    """What the assistant asked to be called."""
    call_id: str = ""
    """Of a tool's message: the call that it answers."""


class Conversation:
    """The messages so far, in the order in which they were said."""

    def __init__(
        self,
        opening: Sequence[Message] = (),
        *,
        max_context_characters: int = 8000,
        cut_mark: str = CUT_MARK,
    ) -> None:
        """Start with an opening (persona, example turns) that the LLM is always told.

        Args:
            opening: not part of what was said.
            max_context_characters: of what was said, that the LLM is told at most.
            cut_mark: how the LLM is told that a message of its own was cut off at that point.
        """
        assert max_context_characters > 0, max_context_characters
        self._opening = tuple(opening)
        self._max_context_characters = max_context_characters
        self._cut_mark = cut_mark
        self._said: list[Message] = []
        self._context_start = 0
        self._reply: Reply | None = None
        self._reply_place = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said and heard, without the opening; a silent reply is no message."""
        return tuple(message for message in self._said if message.text)

    def add_user(self, text: str) -> None:
        """Add what the user said."""
        self._said.append(Message("user", text))

    def add_reply(self, text: str) -> None:
        """Add a reply that was written and not spoken."""
        self._reply = None
        self._said.append(Message("assistant", text))

    def open_reply(self, reply: Reply, *, aside: bool = False) -> None:
        """Add a reply that is about to be spoken; its text grows as it is heard."""
        self._reply, self._reply_place = reply, len(self._said)
        self._said.append(Message("assistant", reply.heard(), aside=aside))

    def heard(self, played_samples: int, *, cut: bool = False) -> str:
        """Keep exactly those words of the last reply whose end was played; return them.

        May be told again, later and better (a remote player reports what it really played).

        Args:
            played_samples: of the reply.
            cut: whether it was stopped there for good.
        """
        if self._reply is None:
            return ""
        self._reply.played_samples = played_samples
        text = self._reply.heard()
        spoken = self._said[self._reply_place]
        self._said[self._reply_place] = replace(spoken, text=text, cut=cut)
        return text

    def context(self, pending_user: str = "") -> list[Message]:
        """Return what the LLM is told: the opening, then the recent messages, roles alternating.

        Args:
            pending_user: what the user may just have said, not part of the conversation yet.
        """
        self._forget_the_oldest()
        recent = [*self._said[self._context_start :], Message("user", pending_user)]
        return [*self._opening, *told(recent, self._cut_mark)]

    def _forget_the_oldest(self) -> None:
        """Move the start of the context so that it fits.

        It drops down to half of the limit at once: moving at every turn would change the
        beginning of the prompt each time and void the LLM's cached prefix.
        """
        if self._characters_from(self._context_start) <= self._max_context_characters:
            return
        for start in range(self._context_start + 1, len(self._said)):
            fits = self._characters_from(start) <= self._max_context_characters // 2
            if self._said[start].role == "user" and fits:
                self._context_start = start
                return
        self._context_start = max(self._context_start, len(self._said) - 1)

    def _characters_from(self, start: int) -> int:
        return sum(len(message.text) for message in self._said[start:])


def told(messages: Iterable[Message], cut_mark: str = CUT_MARK) -> list[Message]:
    """What the LLM is told of what was said: nothing silent, no asides, cuts marked."""
    return _merge_same_role(
        replace(message, text=message.text + cut_mark) if message.cut else message
        for message in messages
        if (message.text or message.calls or message.call_id) and not message.aside
    )


def _merge_same_role(messages: Iterable[Message]) -> list[Message]:
    """Join neighbours of one role: chat templates want user and assistant to alternate."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role and _is_plain(merged[-1], message):
            text = join_text([merged[-1].text, message.text])
            merged[-1] = replace(message, text=text)
        else:
            merged.append(message)
    return merged


def _is_plain(*messages: Message) -> bool:
    """Whether none of these has to do with tools, whose messages stand alone."""
    return not any(message.calls or message.call_id for message in messages)
