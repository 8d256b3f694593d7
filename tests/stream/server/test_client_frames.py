import random

import pytest
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from selftalk.stream.server.client_frames import ClientFrames, whole_text

REQUEST = (
    b"GET / HTTP/1.1\r\nhost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]


def masked(opcode, payload, fin=True):
    return Frame(opcode, payload, fin).serialize(mask=True)


def texts():
    chance = random.Random(0)
    return [chance.randbytes(length) for length in LENGTHS]


@pytest.mark.parametrize("size", [1, 3, 1000, 10**6])
def test_frames_may_be_cut_anywhere(size):
    sent = [masked(Opcode.TEXT, text) for text in texts()]
    sent.insert(3, masked(Opcode.PING, b"there?"))
    whole, frames, found = b"".join(sent), ClientFrames(1 << 20), []
    for start in range(0, len(whole), size):
        found += frames.push(whole[start : start + size])
    assert found == sent


@pytest.mark.parametrize("text", texts(), ids=len)
def test_a_whole_text_is_read_as_the_parser_of_everything_reads_it(text):
    frame = masked(Opcode.TEXT, text)
    everything = ServerProtocol()
    everything.receive_data(REQUEST)
    everything.send_response(everything.accept(everything.events_received()[0]))
    everything.receive_data(frame)
    assert [event.data for event in everything.events_received()] == [whole_text(frame)] == [text]


@pytest.mark.parametrize(
    "frame",
    [
        masked(Opcode.TEXT, b"begun", fin=False),
        masked(Opcode.CONT, b"ended"),
        masked(Opcode.BINARY, b"no text"),
        masked(Opcode.CLOSE, b""),
        Frame(Opcode.TEXT, b"not masked").serialize(mask=False),
        bytes([masked(Opcode.TEXT, b"")[0] | 0x40]) + masked(Opcode.TEXT, b"reserved")[1:],
    ],
)
def test_all_else_is_left_to_others(frame):
    assert ClientFrames(100).push(frame) == [frame]
    assert whole_text(frame) is None


@pytest.mark.parametrize("received", [50, 208, 500])
def test_what_is_too_long_is_not_waited_for(received):
    sent = masked(Opcode.TEXT, b"short") + masked(Opcode.TEXT, bytes(200)) + bytes(300)
    frames = ClientFrames(100)
    assert frames.push(sent[:received]) == [sent[:11]]
    assert frames.too_long() == sent[11:received]
    assert frames.too_long() == b""
