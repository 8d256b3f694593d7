import asyncio
import json

import pytest
from websockets.frames import Frame, Opcode

from selftalk.stream.protocol.server_events import Cleared
from selftalk.stream.server import outbox
from selftalk.stream.server.outbox import ClientGoneError, ClientStalledError, Outbox
from selftalk.stream.server.wire import frame_header


class Wire:
    """Holds so many messages until its client reads."""

    def __init__(self, room):
        self.room = room
        self.gone = False
        self.sent = []
        self.on_change = None

    @property
    def full(self):
        return self.room <= 0

    def write(self, message):
        self.room -= 1
        self.sent.append(json.loads(message)["event_id"])

    def abort(self):
        self.gone = True

    def read(self, messages):
        self.room += messages
        self.on_change()


def numbered(count):
    return [f"event_{number + 1}" for number in range(count)]


def send(box, count):
    for _ in range(count):
        box.send(Cleared())


def test_what_has_no_room_waits_and_keeps_its_order():
    async def check():
        wire = Wire(room=2)
        box = Outbox(wire, stalled_seconds=60)
        send(box, 5)
        assert wire.sent == numbered(2)
        wire.read(1)
        send(box, 1)  # behind those that wait, although there may be room
        assert wire.sent == numbered(3)
        assert box.waiting_bytes > 0
        wire.read(9)
        await box.flush()
        assert wire.sent == numbered(6)
        assert box.waiting_bytes == 0

    asyncio.run(check())


def test_a_client_that_takes_nothing_is_cut():
    async def check():
        wire = Wire(room=0)
        box = Outbox(wire, stalled_seconds=0.01)
        send(box, 1)
        with pytest.raises(ClientStalledError):
            await box.run()

    asyncio.run(check())


def test_the_seconds_count_anew_whenever_something_is_taken():
    async def check():
        wire = Wire(room=0)
        box = Outbox(wire, stalled_seconds=60)
        send(box, 3)
        first = box._deadline
        wire.read(1)
        assert first.cancelled()
        assert box._deadline is not first
        wire.read(2)
        assert box._deadline is None

    asyncio.run(check())


def test_too_much_that_waits_is_the_end(monkeypatch):
    monkeypatch.setattr(outbox, "MAX_WAITING_BYTES", 200)

    async def check():
        box = Outbox(Wire(room=0), stalled_seconds=60)
        send(box, 100)
        assert box.waiting_bytes < 300  # bounded, however much is told
        with pytest.raises(ClientStalledError):
            await box.run()

    asyncio.run(check())


@pytest.mark.parametrize("room", [0, 9])
def test_a_client_that_is_gone_is_told_nothing(room):
    async def check():
        wire = Wire(room)
        box = Outbox(wire, stalled_seconds=60)
        send(box, 1)
        wire.gone = True
        wire.on_change()
        send(box, 1)
        with pytest.raises(ClientGoneError):
            await box.run()
        assert box._deadline is None

    asyncio.run(check())


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_frames_are_those_of_the_library(length):
    whole = Frame(Opcode.TEXT, bytes(length)).serialize(mask=False)
    assert frame_header(length) + bytes(length) == whole
