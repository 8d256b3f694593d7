import asyncio
import io
from collections import Counter

import pytest
from fakes_server import RawClient, make_context, running, silence, speech
from websockets.exceptions import ConnectionClosed

from selftalk.clients import client as client_module
from selftalk.clients.client import VoiceClient
from selftalk.clients.console import Console, Loudspeaker
from selftalk.stream import cli
from selftalk.stream.protocol import server_events as events
from selftalk.stream.server.parked import Parked

WRITTEN = {"type": "realtime", "output_modalities": ["text"]}


async def until(client, kind):
    async for event in client:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"it ended before {kind.__name__}")


def talk(scenario, **options):
    async def run(url):
        async with asyncio.timeout(30), VoiceClient(url, **options) as client:
            return await scenario(client)

    with running(make_context()) as server:
        return asyncio.run(run(server.ws_url))


def test_a_spoken_turn():
    async def scenario(client):
        await client.send_audio(speech(0.5) + silence(0.8))
        assert (await until(client, events.TranscriptionCompleted)).transcript == "utterance 1"
        return await until(client, events.ResponseDone)

    assert talk(scenario).response.status == "completed"


def test_a_written_turn():
    async def scenario(client):
        await client.say_text("hello")
        return (await until(client, events.OutputTextDone)).text

    assert talk(scenario, session=WRITTEN) == "w0 w1 w2. w3 w4 w5. "


def test_a_broken_line_is_mended_and_the_conversation_goes_on():
    async def scenario(client):
        await client.say_text("remember")
        await until(client, events.ResponseDone)
        client._socket.transport.abort()
        resumed = await until(client, events.ResumedEvent)
        assert resumed.items[0].content[0].text == "remember"
        await client.say_text("and now?")
        return await until(client, events.ResponseDone)

    assert talk(scenario, session=WRITTEN).response.status == "completed"


def test_a_server_that_forgot_is_told_the_settings_again(monkeypatch):
    monkeypatch.setattr(Parked, "put", lambda *_: None)

    async def scenario(client):
        await client.configure(instructions="Be brief.")
        await until(client, events.SessionUpdated)
        client._socket.transport.abort()
        assert (await until(client, events.ResumedEvent)).items == []
        return (await until(client, events.SessionUpdated)).session

    session = talk(scenario, session=WRITTEN)
    assert session.output_modalities == ["text"]
    assert session.instructions == "Be brief."


def test_a_full_server_is_not_asked_for_ever(monkeypatch):
    monkeypatch.setattr(client_module, "FIRST_WAIT_SECONDS", 0.001)

    told = Counter()

    async def ask(url):
        async with VoiceClient(url) as client:
            async for event in client:
                told[event.error.code] += 1

    with running(make_context(capacity=1)) as server, RawClient(server.ws_url) as first:
        first.until("session.created")
        with pytest.raises(ConnectionClosed, match="1013"):
            asyncio.run(asyncio.wait_for(ask(server.ws_url), 60))
    assert told == {"session_limit_reached": client_module.TRIES + 1}


def test_ending_it_ends_the_iteration():
    async def scenario(client):
        await until(client, events.SessionCreated)
        await client.close()
        return [event async for event in client]

    assert talk(scenario) == []


class TestLoudspeaker:
    def test_plays_in_order_and_silence_at_the_end(self):
        loudspeaker = Loudspeaker()
        loudspeaker.push("a", b"1122")
        loudspeaker.push("b", b"33")
        assert [loudspeaker.pull(4), loudspeaker.pull(4)] == [b"1122", b"33\0\0"]

    def test_a_cut_tells_what_was_heard(self):
        loudspeaker = Loudspeaker()
        loudspeaker.push("a", bytes(2 * 24_000))
        loudspeaker.pull(2 * 6_000)
        assert loudspeaker.cut() == ("a", 250)
        assert loudspeaker.cut() is None

    def test_the_console_tells_the_server_when_it_was_cut(self, capsys):
        told = []

        class Client:
            async def heard(self, item_id, ms):
                told.append((item_id, ms))

        async def follow():
            loudspeaker = Loudspeaker()
            shown = Console(Client(), loudspeaker)
            place = {"response_id": "r", "item_id": "a"}
            await shown.show(events.OutputAudioDelta(**place, delta=bytes(48_000)))
            loudspeaker.pull(24_000)
            await shown.show(events.SpeechStarted(item_id="u", audio_start_ms=0))
            usage = events.DurationUsage(seconds=1)
            said = events.TranscriptionCompleted(item_id="u", transcript="stop", usage=usage)
            await shown.show(said)

        asyncio.run(follow())
        assert told == [("a", 500)]
        assert capsys.readouterr().out == "you:  stop\n"


class TestAtATerminal:
    def test_lines_are_answered_in_turn_and_the_last_ends_it(self, capsys, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("hello\n\nand now?\n"))
        with running(make_context()) as server:
            assert cli.main(["call", "--text", "--server", server.ws_url]) == 0
        assert capsys.readouterr().out == 2 * "self: w0 w1 w2. w3 w4 w5. \n"

    def test_a_server_that_lets_nobody_in_is_told_in_a_sentence(self, capsys, monkeypatch):
        monkeypatch.delenv("SELFTALK_TOKEN", raising=False)
        with running(make_context(token="a-token-of-some-length")) as server:
            assert cli.main(["call", "--text", "--server", server.ws_url]) == 2
        assert "it asks for a token, which goes in SELFTALK_TOKEN" in capsys.readouterr().err

    @pytest.mark.parametrize("address", ["ws://127.0.0.1:1", "http://127.0.0.1:1"])
    def test_so_is_an_address_where_nobody_listens(self, capsys, address):
        assert cli.main(["call", "--text", "--server", address]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"selftalk: cannot talk with {address}: ")
