import asyncio
from contextlib import aclosing

import fakes_observed

from selftalk.clients import observer
from selftalk.clients.observer import mouths, observe


def test_events_come_with_the_token():
    paths = []

    async def first_event():
        async with (
            fakes_observed.observed_server(paths=paths) as address,
            aclosing(observe(address + "/", "secret")) as events,
        ):
            return await anext(events)

    assert asyncio.run(first_event()) == fakes_observed.DELTA
    assert paths == [("/v1/realtime/observe", "Bearer secret")]


def test_a_server_that_goes_away_is_awaited(monkeypatch, capsys):
    monkeypatch.setattr(observer, "SHORTEST_WAIT_SECONDS", 0.01)

    async def twice():
        async with fakes_observed.observed_server() as address:
            port = int(address.rsplit(":", 1)[1])
            events = observe(address)
            await anext(events)
        waiting = asyncio.create_task(anext(events))
        await asyncio.sleep(0.05)  # in which it is refused
        async with fakes_observed.serve(lambda s: s.send('{"type": "again"}'), "127.0.0.1", port):
            event = await waiting
        await events.aclose()
        return event

    assert asyncio.run(twice()) == {"type": "again"}
    assert "waiting for one" in capsys.readouterr().err


def test_mouths_open_while_somebody_speaks_whatever_else_is_told():
    async def widest():
        strange = '{"type": "response.done"}'
        async with (
            fakes_observed.observed_server(first=strange) as address,
            aclosing(mouths(address)) as frames,
        ):
            async for mouth in frames:
                if mouth is not None and mouth.openness > 0.9:
                    return mouth

    assert asyncio.run(asyncio.wait_for(widest(), 10)).a > 0.9
