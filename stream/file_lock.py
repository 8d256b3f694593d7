"""One process or thread at a time: a lock that is a file, released even by a crash.

Knows nothing about what it protects.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RETRY_SECONDS = 0.1


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Wait until nobody else holds the lock, then hold it for the `with` block.

    The operating system frees the lock when its holder ends, so a killed download never
    leaves one behind. The empty file stays: removing it would let two waiters hold "the" lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor)
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _acquire(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return
            except OSError:
                time.sleep(RETRY_SECONDS)
else:
    import fcntl

    def _acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
