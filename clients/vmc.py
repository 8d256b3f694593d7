"""`selftalk vmc`: moves the mouth of a VRM avatar, by the Virtual Motion Capture protocol.

VSeeFace, Warudo, VMagicMirror and VNyan listen to it. Only the mouth is sent, and only while
somebody speaks: the rest of the face stays with whatever tracks it.
"""

import argparse
import socket
import time
from collections.abc import Callable

from selftalk.clients import failures
from selftalk.clients.failures import ClientError, reason
from selftalk.clients.observer import FRAMES_HZ, add_server_options, mouths
from selftalk.clients.osc import bundle, message
from selftalk.clients.visemes import CLOSED, Mouth

PORT = 39_539
VRM0 = ("A", "I", "U", "E", "O")
VRM1 = ("aa", "ih", "ou", "ee", "oh")
CLOSING_FRAMES = FRAMES_HZ // 4
"""A closed mouth is sent so often at the end: UDP may lose one."""

SendPackets = Callable[[list[bytes]], None]


class VmcMouth:
    """Mouths → packets of the protocol."""

    def __init__(self, names: tuple[str, ...] = VRM0, *, bundled: bool = True) -> None:
        self._names = names
        self._bundled = bundled
        self._closing = 0
        self._frames = 0

    def packets(self, mouth: Mouth | None, seconds: float) -> list[bytes]:
        """What to send for this frame.

        Args:
            mouth: None while nobody speaks.
            seconds: since the start, as the protocol tells it.
        """
        self._frames += 1
        self._closing = CLOSING_FRAMES if mouth is not None else max(0, self._closing - 1)
        messages = []
        if self._frames % FRAMES_HZ == 1:
            messages += [message("/VMC/Ext/OK", 1), message("/VMC/Ext/T", seconds)]
        if mouth is not None or self._closing:
            shown = zip(self._names, mouth or CLOSED, strict=True)
            messages += [message("/VMC/Ext/Blend/Val", name, float(part)) for name, part in shown]
            messages.append(message("/VMC/Ext/Blend/Apply"))
        if not messages:
            return []
        return [bundle(messages)] if self._bundled else messages


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `vmc` to the command line."""
    parser = subparsers.add_parser("vmc", help="move the mouth of a VRM avatar (VMC/OSC)")
    add_server_options(parser)
    parser.add_argument("--host", default="127.0.0.1", help="where the avatar program runs")
    parser.add_argument("--port", type=int, default=PORT, help="where it listens for VMC")
    parser.add_argument("--vrm1", action="store_true", help="VRM 1.0 names: aa ih ou ee oh")
    parser.add_argument(
        "--no-bundle", action="store_true", help="one message a packet, for older programs"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send mouths until interrupted; return the status of the process."""
    return failures.run(_drive(args))


async def _drive(args: argparse.Namespace) -> None:
    vmc = VmcMouth(VRM1 if args.vrm1 else VRM0, bundled=not args.no_bundle)
    start = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.connect((args.host, args.port))
        except (OSError, OverflowError) as error:
            place = f"{args.host} port {args.port}"
            raise ClientError(f"cannot send to {place}: {reason(error)}") from None
        async for mouth in mouths(args.server, args.lead_ms):
            for packet in vmc.packets(mouth, time.monotonic() - start):
                try:
                    udp.send(packet)
                except OSError:  # nobody listens yet
                    break
