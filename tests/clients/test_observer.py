import asyncio
from contextlib import aclosing

import fakes_observed
import pytest

from selftalk.clients import observer
from selftalk.clients.failures import ClientError
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
    assert "waiting for it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "sentence"), [(401, "a token, which goes in SELFTALK_TOKEN"), (403, "answers 403")]
)
def test_a_server_that_wants_nobody_is_not_asked_again(status, sentence):
    async def refused():
        def refuse(connection, _request):
            return connection.respond(status, "no")

        async with fakes_observed.serve(None, "127.0.0.1", 0, process_request=refuse) as server:
            async for _ in mouths(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
                pass

    with pytest.raises(ClientError, match=sentence):
        asyncio.run(asyncio.wait_for(refused(), 60))


def test_neither_is_an_address_that_is_none():
    with pytest.raises(ClientError, match="cannot watch http://here: an address begins with ws"):
        asyncio.run(anext(observe("http://here")))


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

    assert asyncio.run(asyncio.wait_for(widest(), 60)).a > 0.9
