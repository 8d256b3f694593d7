import asyncio
import socket
import struct
from argparse import Namespace

import fakes_observed
import pytest

from selftalk.clients import vmc
from selftalk.clients.visemes import Mouth
from selftalk.clients.vmc import CLOSING_FRAMES, VRM1, VmcMouth

OPEN = Mouth(a=0.75, o=0.25)


def decoded(packet):
    """An OSC receiver: packet → list of (address, arguments)."""
    if packet.startswith(b"#bundle\0"):
        found, place = [], 16
        while place < len(packet):
            (size,) = struct.unpack_from(">i", packet, place)
            found += decoded(packet[place + 4 : place + 4 + size])
            place += 4 + size
        return found
    address, rest = text_of(packet)
    tags, rest = text_of(rest)
    arguments = []
    for tag in tags[1:]:
        if tag == "s":
            text, rest = text_of(rest)
            arguments.append(text)
        else:
            arguments.append(struct.unpack_from(f">{tag}", rest)[0])
            rest = rest[4:]
    assert rest == b""
    return [(address, *arguments)]


def text_of(raw):
    end = raw.index(b"\0")
    size = end + 4 - end % 4
    assert raw[end:size].strip(b"\0") == b""
    return raw[:end].decode("ascii"), raw[size:]


def sent(driver, mouth, seconds=0.0):
    return [one for packet in driver.packets(mouth, seconds) for one in decoded(packet)]


def test_every_vowel_then_apply():
    driver = VmcMouth()
    assert sent(driver, OPEN, 1.5) == [
        ("/VMC/Ext/OK", 1),
        ("/VMC/Ext/T", 1.5),
        ("/VMC/Ext/Blend/Val", "A", 0.75),
        ("/VMC/Ext/Blend/Val", "I", 0),
        ("/VMC/Ext/Blend/Val", "U", 0),
        ("/VMC/Ext/Blend/Val", "E", 0),
        ("/VMC/Ext/Blend/Val", "O", 0.25),
        ("/VMC/Ext/Blend/Apply",),
    ]


def test_a_newer_avatar_has_other_names():
    names = [one[1] for one in sent(VmcMouth(VRM1), OPEN) if one[0] == "/VMC/Ext/Blend/Val"]
    assert names == ["aa", "ih", "ou", "ee", "oh"]


def test_bundles_are_one_packet_and_can_be_left_out():
    assert len(VmcMouth().packets(OPEN, 0)) == 1
    packets = VmcMouth(bundled=False).packets(OPEN, 0)
    assert len(packets) == 8
    assert not any(packet.startswith(b"#bundle") for packet in packets)


def test_the_mouth_is_closed_and_then_left_alone():
    driver = VmcMouth()
    sent(driver, OPEN)
    after = [sent(driver, None) for _ in range(CLOSING_FRAMES + 20)]
    blends = [[one for one in frame if "Blend/Val" in one[0]] for frame in after]
    assert all(value == 0 for frame in blends for _, _, value in frame)
    assert [bool(frame) for frame in blends].count(True) == CLOSING_FRAMES - 1
    assert not any(after[CLOSING_FRAMES:])


def test_alive_is_told_once_a_second_while_silent():
    driver = VmcMouth()
    frames = [sent(driver, None) for _ in range(180)]
    assert sum(("/VMC/Ext/OK", 1) in frame for frame in frames) == 3


@pytest.mark.parametrize("no_bundle", [False, True])
def test_a_spoken_word_arrives_at_an_osc_receiver(no_bundle):
    async def widest():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.setblocking(False)
            async with fakes_observed.observed_server() as server:
                options = Namespace(
                    server=server, lead_ms=0.0, host="127.0.0.1", vrm1=False,
                    port=receiver.getsockname()[1], no_bundle=no_bundle,
                )  # fmt: skip
                driving = asyncio.create_task(vmc._drive(options))
                while True:
                    packet = await asyncio.get_running_loop().sock_recv(receiver, 4096)
                    for address, *arguments in decoded(packet):
                        if address == "/VMC/Ext/Blend/Val" and arguments[1] > 0.9:
                            driving.cancel()
                            return arguments[0]

    assert asyncio.run(asyncio.wait_for(widest(), 60)) == "A"


@pytest.mark.parametrize(
    ("host", "port"), [("no-such-machine.invalid", 39539), ("127.0.0.1", 99999)]
)
def test_where_nothing_can_be_sent_is_told_in_a_sentence(capsys, host, port):
    options = Namespace(
        server="ws://127.0.0.1:9", lead_ms=0.0, host=host, port=port, vrm1=False, no_bundle=False
    )
    assert vmc.run(options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"selftalk: cannot send to {host} port {port}: ")
