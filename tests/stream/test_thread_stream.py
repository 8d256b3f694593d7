"""iterate_in_thread: order, errors, back-pressure, and nothing left running."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

import pytest

from selftalk.stream.errors import SynthesisError
from selftalk.stream.stop import StopFlag
from selftalk.stream.thread_stream import emit_in_thread, iterate_in_thread, live_generations


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a thread changes it, no event to wait for
            await asyncio.sleep(0.001)


class Endless:
    """Counts up until its stop flag is set, and tells when its generator was closed."""

    def __init__(self, stop: StopFlag) -> None:
        self.stop = stop
        self.drawn = 0
        self.closed = threading.Event()

    def __call__(self) -> Iterator[int]:
        try:
            while not self.stop.is_set:
                self.drawn += 1
                yield self.drawn
        finally:
            self.closed.set()


async def collect(stream: AsyncGenerator[int, None]) -> list[int]:
    return [item async for item in stream]


def test_all_items_arrive_in_order_through_a_queue_of_one() -> None:
    stream = iterate_in_thread(lambda: iter(range(200)), StopFlag(), max_items=1)
    assert asyncio.run(collect(stream)) == list(range(200))
    assert live_generations() == 0


def test_runs_in_another_thread() -> None:
    seen: list[str] = []

    def generate() -> Iterator[int]:
        seen.append(threading.current_thread().name)
        yield 1

    asyncio.run(collect(iterate_in_thread(generate, StopFlag(), name="voice")))
    assert seen == ["voice"]


def test_an_engine_that_calls_back_is_stopped_by_its_callback() -> None:
    async def run() -> None:
        emitted: list[int] = []

        def produce(emit: Callable[[int], None]) -> None:
            while True:
                emit(len(emitted))
                emitted.append(len(emitted))

        async with aclosing(emit_in_thread(produce, StopFlag(), max_items=2)) as stream:
            assert [await anext(stream) for _ in range(4)] == [0, 1, 2, 3]
        await wait_until(lambda: live_generations() == 0)

    asyncio.run(run())


def test_error_comes_after_the_items_before_it() -> None:
    def generate() -> Iterator[int]:
        yield 1
        raise SynthesisError("no voice")

    async def run() -> list[int]:
        stream = iterate_in_thread(generate, StopFlag())
        items = [await anext(stream)]
        with pytest.raises(SynthesisError, match="no voice"):
            await anext(stream)
        return items

    assert asyncio.run(run()) == [1]
    assert live_generations() == 0


def test_thread_waits_while_nobody_reads() -> None:
    async def run() -> int:
        stop = StopFlag()
        endless = Endless(stop)
        async with aclosing(iterate_in_thread(endless, stop, max_items=3)) as stream:
            assert await anext(stream) == 1
            await wait_until(lambda: endless.drawn >= 5)
            await asyncio.sleep(0.02)
            drawn = endless.drawn
        await wait_until(lambda: live_generations() == 0)
        return drawn

    # One read, three in the queue, one in the thread's hand.
    assert asyncio.run(run()) == 5


def test_the_thread_goes_on_when_half_a_queue_was_read() -> None:
    async def run() -> list[int]:
        stop = StopFlag()
        endless = Endless(stop)
        drawn = []
        async with aclosing(iterate_in_thread(endless, stop, max_items=8)) as stream:
            for at_rest in (9, 9, 9, 13, 13):  # eight in the queue, one in the thread's hand
                await anext(stream)
                await wait_until(lambda expected=at_rest: endless.drawn >= expected)
                await asyncio.sleep(0.02)
                drawn.append(endless.drawn)
        return drawn

    assert asyncio.run(run()) == [9, 9, 9, 13, 13]


@pytest.mark.parametrize("max_items", [1, 2, 3, 8])
def test_no_item_is_overlooked_whoever_is_faster(max_items: int) -> None:
    async def run() -> list[int]:
        async def read() -> AsyncGenerator[int, None]:
            async for item in iterate_in_thread(slow_in_bursts, StopFlag(), max_items=max_items):
                if item % 97 == 0:
                    await asyncio.sleep(0.001)
                yield item

        return await collect(read())

    def slow_in_bursts() -> Iterator[int]:
        for item in range(3000):
            if item % 101 == 0:
                time.sleep(0.001)
            yield item

    assert asyncio.run(run()) == list(range(3000))


@pytest.mark.parametrize("max_items", [1, 1000])
def test_closing_stops_the_thread_and_its_generator(max_items: int) -> None:
    async def run() -> None:
        stop = StopFlag()
        endless = Endless(stop)
        async with aclosing(iterate_in_thread(endless, stop, max_items=max_items)) as stream:
            await anext(stream)
            assert live_generations() == 1
        assert stop.is_set
        await wait_until(lambda: live_generations() == 0)
        assert endless.closed.is_set()

    asyncio.run(run())


def test_cancelled_task_stops_the_thread() -> None:
    async def run() -> None:
        stop = StopFlag()
        reading = asyncio.create_task(collect(iterate_in_thread(Endless(stop), stop)))
        await wait_until(lambda: live_generations() == 1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await wait_until(lambda: live_generations() == 0)

    asyncio.run(run())


def test_flag_set_elsewhere_ends_the_stream_without_stale_items() -> None:
    async def run() -> list[int]:
        stop = StopFlag()
        items = []
        async for item in iterate_in_thread(Endless(stop), stop, max_items=100):
            items.append(item)
            if item == 3:
                stop.set()
        await wait_until(lambda: live_generations() == 0)
        return items

    assert asyncio.run(run()) == [1, 2, 3]


def test_natural_end_leaves_the_flag_for_the_streams_that_share_it() -> None:
    stop = StopFlag()
    assert asyncio.run(collect(iterate_in_thread(lambda: iter([1]), stop))) == [1]
    assert not stop.is_set


def test_flag_set_before_the_start_generates_nothing() -> None:
    stop = StopFlag()
    stop.set()
    endless = Endless(stop)
    assert asyncio.run(collect(iterate_in_thread(endless, stop))) == []
    assert endless.drawn == 0


@pytest.mark.parametrize("max_items", [1, 1000])
def test_thread_ends_when_its_loop_is_gone(max_items: int) -> None:
    stop = StopFlag()
    loop = asyncio.new_event_loop()
    endless = Endless(stop)
    stream = iterate_in_thread(endless, stop, max_items=max_items)
    assert loop.run_until_complete(anext(stream)) == 1
    loop.close()
    for thread in threading.enumerate():
        if thread.name == "generation":
            thread.join(5)
    assert live_generations() == 0


def test_the_program_waits_for_the_last_step_of_a_thread() -> None:
    program = """
import asyncio, time
from selftalk.stream.stop import StopFlag
from selftalk.stream.thread_stream import iterate_in_thread

def slow():
    yield 1
    time.sleep(0.2)
    print("whole", flush=True)

async def main():
    await anext(iterate_in_thread(slow, StopFlag()))

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "whole\n")
