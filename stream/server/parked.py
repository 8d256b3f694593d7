"""Parked: conversations whose connection broke, kept for a minute for whoever comes back.

A session's id cannot be guessed; who knows it may go on with it, once.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from selftalk.stream.protocol.settings import SessionSettings
from selftalk.stream.server.item_conversation import ItemConversation

KEPT_SECONDS = 60.0
MAX_KEPT = 64


class Parked:
    """Conversations that wait."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._kept: OrderedDict[str, tuple[float, SessionSettings, ItemConversation]] = (
            OrderedDict()
        )

    def put(
        self, session_id: str, settings: SessionSettings, conversation: ItemConversation
    ) -> None:
        """Keep a conversation, if anything was said in it."""
        self._forget()
        if not conversation.items:
            return
        self._kept[session_id] = self._seconds() + KEPT_SECONDS, settings, conversation
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def take(self, session_id: str) -> tuple[SessionSettings, ItemConversation] | None:
        """Give a conversation back, once; None if it is not here."""
        self._forget()
        found = self._kept.pop(session_id, None)
        return found[1:] if found else None

    def _forget(self) -> None:
        now = self._seconds()
        while self._kept and next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)
