"""iterate_in_thread and emit_in_thread: generate in a thread, read from asyncio.

Inference blocks, so it runs in a thread; cancelling a task does not end a thread, so the
stop flag does. Knows nothing about what is generated.

    asyncio task                     thread "generation"
    async for item ◀── queue ◀────── for item in make_iterator()
    aclose() ───────▶ stop flag ───▶ looked at before every item
"""

import asyncio
import atexit
import queue
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from selftalk.stream.stop import StopFlag, Stopped

Item = TypeVar("Item")

STOP_POLL_SECONDS = 0.5  # how long a thread with a full queue may overlook a stop flag

EXIT_SECONDS = 5.0  # how long the end of the program waits for threads to take their last step

_live_lock = threading.Lock()
_live_count = 0


def live_generations() -> int:
    """How many generating threads have not ended yet; 0 when nothing is left behind."""
    with _live_lock:
        return _live_count


def iterate_in_thread(
    make_iterator: Callable[[], Iterator[Item]],
    stop: StopFlag,
    *,
    max_items: int = 16,
    name: str = "generation",
) -> AsyncGenerator[Item, None]:
    """Run a synchronous iterator in a thread of its own and yield its items here.

    Closing or cancelling this generator sets `stop` and returns without waiting: the thread
    ends after the step it is in. An exception of the iterator is raised here, after the items
    before it; `Stopped` just ends the stream.

    Args:
        make_iterator: called in the thread, so that loading and prefill do not block the loop.
            It should look at `stop` wherever one step is long.
        stop: set on an early close, not at the natural end, so that streams may share one;
            setting it from elsewhere ends this stream too, without the items not yet read.
        max_items: the thread waits when this many items are unread.
        name: of the thread, for debuggers.
    """

    def draw(emit: Callable[[Item], None]) -> None:
        iterator = make_iterator()
        try:
            for item in iterator:
                emit(item)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    return emit_in_thread(draw, stop, max_items=max_items, name=name)


async def emit_in_thread(
    produce: Callable[[Callable[[Item], None]], None],
    stop: StopFlag,
    *,
    max_items: int = 16,
    name: str = "generation",
) -> AsyncGenerator[Item, None]:
    """Like `iterate_in_thread`, for engines that call back instead of yielding.

    Args:
        produce: called in the thread with `emit`, which hands over one item, waits while the
            queue is full, and raises `Stopped` once nobody wants more.
        stop: see `iterate_in_thread`.
        max_items: see `iterate_in_thread`.
        name: see `iterate_in_thread`.
    """
    relay = _Relay(produce, stop, asyncio.get_running_loop(), max_items)
    threading.Thread(target=relay.run, name=name, daemon=True).start()
    try:
        while not isinstance(item := await relay.next(), _End):
            if stop.is_set:
                return  # what was generated ahead is stale now
            yield item
    except BaseException:  # closed or cancelled; an iterator's own error is raised below
        stop.set()
        relay.wake()
        raise
    if item.error is not None and not stop.is_set:
        raise item.error


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None = None


class _Relay(Generic[Item]):
    """Hands items from the thread to the loop, at most max_items ahead of the reader.

    Waking costs more than most items, so neither side wakes the other for each: the reader makes
    room for half a queue at once, and is told of an item only while it waits for one.
    """

    def __init__(
        self,
        produce: Callable[[Callable[[Item], None]], None],
        stop: StopFlag,
        loop: asyncio.AbstractEventLoop,
        max_items: int,
    ) -> None:
        assert max_items > 0, max_items
        self._items: deque[Item | _End] = deque()
        self._arrived = asyncio.Event()
        self._awaited = False
        # A semaphore would do, but Python's is ten times slower than this queue.
        self._free_slots: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._slots_at_once = max(1, max_items // 2)
        self._taken = max_items
        self.make_room()
        self._produce = produce
        self._stop = stop
        self._loop = loop
        _count_live(+1)

    def run(self) -> None:
        end = _End()
        try:
            self._stop.raise_if_set()
            self._produce(self._emit)
        except Stopped:
            pass
        except Exception as error:
            end = _End(error)
        finally:
            # Counted before the end is told: who has read the end finds no live thread.
            _count_live(-1)
            self._tell(end)

    async def next(self) -> Item | _End:
        """The reader's next item."""
        while not self._items:
            self.make_room()
            self._arrived.clear()
            self._awaited = True  # before the look at what the thread may just have put there
            if not self._items:
                await self._arrived.wait()
        self._awaited = False
        self._taken += 1
        if self._taken >= self._slots_at_once:
            self.make_room()
        return self._items.popleft()

    def make_room(self) -> None:
        """Let the thread make as many items as were taken."""
        for _ in range(self._taken):
            self._free_slots.put(None)
        self._taken = 0

    def wake(self) -> None:
        """Let a thread that waits for room see the stop flag."""
        self._free_slots.put(None)

    def _emit(self, item: Item) -> None:
        while not self._has_slot():
            if self._loop.is_closed():  # nobody will ever read what waits
                self._stop.set()
            self._stop.raise_if_set()
        self._stop.raise_if_set()
        self._tell(item)

    def _has_slot(self) -> bool:
        try:
            self._free_slots.get(timeout=STOP_POLL_SECONDS)
        except queue.Empty:
            return False
        return True

    def _tell(self, item: Item | _End) -> None:
        self._items.append(item)
        if not self._awaited:
            return
        try:
            self._loop.call_soon_threadsafe(self._arrived.set)
        except RuntimeError:  # the loop is closed: nobody will ever read this
            self._stop.set()


def _count_live(change: int) -> None:
    global _live_count
    with _live_lock:
        _live_count += change


def _let_threads_end() -> None:
    """Wait for the last steps: a thread that is torn out of a library takes the program along."""
    deadline = time.monotonic() + EXIT_SECONDS
    while live_generations() and time.monotonic() < deadline:
        time.sleep(0.01)


atexit.register(_let_threads_end)
