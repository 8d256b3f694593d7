"""Admission: how many conversations this machine can hold, and who still gets one.

Knows nothing about sockets; a full server says so at once instead of serving everybody badly.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum


class Refusal(Enum):
    """Why somebody was not let in."""

    FULL = "session_limit_reached"
    PEER_LIMIT = "peer_limit_reached"
    DRAINING = "server_restarting"


class Admission:
    """Counts conversations; everything happens in one event loop."""

    def __init__(self, capacity: int, per_peer: int = 64) -> None:
        """Let in `capacity` conversations at most, and `per_peer` from one address."""
        assert capacity > 0, capacity
        self.capacity = capacity
        self.draining = False
        self.refused: Counter[Refusal] = Counter()
        self._per_peer = per_peer
        self._peers: Counter[str] = Counter()

    @property
    def active(self) -> int:
        """How many conversations are held now."""
        return self._peers.total()

    @property
    def ready(self) -> bool:
        """Whether one more would be let in."""
        return not self.draining and self.active < self.capacity

    @contextmanager
    def admitted(self, peer: str) -> Iterator[Refusal | None]:
        """Hold a place while in the block; yields why not, if there is none."""
        refusal = self._refusal(peer)
        if refusal is not None:
            self.refused[refusal] += 1
            yield refusal
            return
        self._peers[peer] += 1
        try:
            yield None
        finally:
            self._peers[peer] -= 1
            self._peers += Counter()  # forget peers without conversations

    def _refusal(self, peer: str) -> Refusal | None:
        if self.draining:
            return Refusal.DRAINING
        if self.active >= self.capacity:
            return Refusal.FULL
        if self._peers[peer] >= self._per_peer:
            return Refusal.PEER_LIMIT
        return None
