"""Gathering: few conversations are never kept waiting, many have their messages read together."""

import asyncio

import pytest

from selftalk.stream.server.gathering import MANY, PERIOD_SECONDS, gather_messages


class Clock:
    """Goes on by what is slept, and by what each look takes."""

    def __init__(self, looks_take=()):
        self.now, self.slept = 0.0, []
        self.looks_take = iter(looks_take)

    def seconds(self):
        self.now += next(self.looks_take, 0.0)
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


async def turns_beside(conversations, clock, turns=20):
    """Gather, and count how often others had a turn."""
    task = asyncio.create_task(
        gather_messages(lambda: conversations, seconds=clock.seconds, sleep=clock.sleep)
    )
    for _ in range(turns):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()


def test_few_conversations_never_wait():
    clock = Clock()
    asyncio.run(turns_beside(MANY - 1, clock))
    assert clock.slept == []


def test_many_wait_for_the_end_of_each_period_and_everybody_has_a_turn_in_between():
    clock = Clock()
    asyncio.run(turns_beside(MANY, clock, turns=20))
    assert 10 < len(clock.slept) <= 20
    assert clock.slept == pytest.approx([PERIOD_SECONDS] * len(clock.slept))


def test_work_is_part_of_the_period_and_what_took_too_long_is_not_caught_up_with():
    clock = Clock([0.0, PERIOD_SECONDS / 4, 3.0, 0.0])
    asyncio.run(turns_beside(MANY, clock, turns=5))
    assert clock.slept[:3] == pytest.approx([PERIOD_SECONDS * 3 / 4, 0.0, PERIOD_SECONDS])
