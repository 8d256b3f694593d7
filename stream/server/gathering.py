"""Gathering: with many conversations, what arrives is read some milliseconds' worth at a time.

A hundred microphones send five thousand messages a second, each of which wakes the event loop:
waking costs as much as reading. Network drivers have the same trouble and the same remedy,
interrupts held back while there is much to do (Mogul and Ramakrishnan 1997, "Eliminating receive
livelock"). Knows nothing about what is sent.
"""

import asyncio
import time
from collections.abc import Callable

MANY = 32
"""Conversations from which on it pays; below, every message is read the moment it comes."""
PERIOD_SECONDS = 0.016
LOOK_SECONDS = 0.5  # how often few conversations are counted


async def gather_messages(
    conversations: Callable[[], int],
    seconds: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Let the event loop sleep until a period is over, while there are many; until cancelled.

    Args:
        conversations: how many there are.
        seconds: the clock.
        sleep: lets the whole thread wait, and others compute.
    """
    due = seconds()
    while True:
        if conversations() < MANY:
            await asyncio.sleep(LOOK_SECONDS)
            continue
        await asyncio.sleep(0)  # everything that has come has its turn
        now = seconds()
        due = max(now, due + PERIOD_SECONDS)
        sleep(due - now)
