"""PeerLog: what a client does wrong, in the log at most once a second for each peer.

Knows nothing about messages; what a client sent is never logged, only what was wrong with it.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED_PEERS = 1024


class PeerLog:
    """One line a second for each peer, with the number of those left out."""

    def __init__(
        self, logger: logging.Logger, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._seconds = seconds
        self._last: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def warn(self, peer: str, reason: str) -> None:
        """Log that a peer did something wrong, unless that was just logged."""
        now = self._seconds()
        last, left_out = self._last.get(peer, (-1.0, 0))
        if last >= 0 and now - last < 1:
            self._last[peer] = last, left_out + 1
            return
        self._last[peer] = now, 0
        self._last.move_to_end(peer)
        if len(self._last) > REMEMBERED_PEERS:
            self._last.popitem(last=False)
        suffix = f" (and {left_out} more)" if left_out else ""
        self._logger.warning("%s: %s%s", peer, reason, suffix)
