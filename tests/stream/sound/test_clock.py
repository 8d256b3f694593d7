import asyncio
import time

from selftalk.stream.sound.clock import SampleClock


def test_fast_time_does_not_wait_and_tells_its_listeners():
    clock, told = SampleClock(fast=True), []
    clock.subscribe(told.append)

    async def run():
        for _ in range(5):
            await clock.advance(16_000)

    started = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - started < 1
    assert told == [16_000] * 5
    assert clock.position_samples == 80_000


def test_real_time_waits_until_a_step_is_due():
    clock = SampleClock()

    async def run():
        started = time.monotonic()
        for _ in range(3):
            await clock.advance(160)
        return time.monotonic() - started

    assert asyncio.run(run()) >= 0.029


def test_fast_time_stands_still_while_a_job_is_busy():
    clock, positions = SampleClock(fast=True), []

    async def drive():
        for _ in range(20):
            await clock.advance(320)

    async def job():
        await clock.next_step()
        with clock.busy():
            positions.append(clock.position_samples)
            await asyncio.to_thread(time.sleep, 0.01)
            positions.append(clock.position_samples)

    async def run():
        await asyncio.gather(job(), drive())

    asyncio.run(run())
    assert positions == [320, 320]
    assert clock.position_samples == 20 * 320


def test_the_end_of_one_job_may_start_another_before_time_passes():
    clock, positions = SampleClock(fast=True), []

    async def jobs():
        await clock.next_step()
        for _ in range(3):
            with clock.busy():
                await asyncio.to_thread(time.sleep, 0.001)
            await asyncio.sleep(0)
            positions.append(clock.position_samples)

    async def drive():
        for _ in range(5):
            await clock.advance(320)

    async def run():
        await asyncio.gather(jobs(), drive())

    asyncio.run(run())
    assert positions == [320] * 3
