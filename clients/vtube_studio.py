"""`selftalk vtube-studio`: moves the mouth of a Live2D avatar in VTube Studio.

No virtual audio cable: the mouth is known before the sound is heard. It is sent 60 times a second
while somebody speaks, glides shut, and is then left to the webcam.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from websockets.asyncio.client import connect

from selftalk.clients import failures
from selftalk.clients.failures import CONNECTION_ERRORS, ClientError, is_final, reason
from selftalk.clients.observer import FRAMES_HZ, add_server_options, mouths
from selftalk.clients.visemes import CLOSED, Mouth
from selftalk.clients.vtube_studio_api import VtubeStudioApi

DEFAULT_ADDRESS = "ws://127.0.0.1:8001"
RETRY_SECONDS = 3.0
CLOSING_FRAMES = FRAMES_HZ // 3


def parameters_of(mouth: Mouth) -> dict[str, float]:
    """Input parameters of VTube Studio for a mouth; rigs listen to different ones of them."""
    vowels = {f"Voice{name}": part for name, part in zip("AIUEO", mouth, strict=True)}
    return {
        "MouthOpen": mouth.openness,
        "VoiceVolumePlusMouthOpen": mouth.openness,
        "VoiceFrequencyPlusMouthSmile": mouth.width,
        "VoiceSilence": 1.0 if mouth.openness < 0.02 else 0.0,
        **vowels,
    }


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `vtube-studio` to the command line."""
    parser = subparsers.add_parser("vtube-studio", help="move the mouth of a VTube Studio avatar")
    add_server_options(parser)
    parser.add_argument(
        "--address", default=DEFAULT_ADDRESS, metavar="URL", help="of VTube Studio's plugin API"
    )
    parser.add_argument(
        "--wait", action="store_true", help="for VTube Studio, if it is not there yet"
    )
    parser.add_argument(
        "--token-file", type=Path, default=None, help="where VTube Studio's permission is kept"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send mouths until interrupted; return the status of the process."""
    return failures.run(_keep_driving(args))


async def drive(api: VtubeStudioApi, frames: AsyncIterator[Mouth | None]) -> None:
    """Show mouths until there are no more.

    Args:
        api: authenticated.
        frames: None while nobody speaks.

    Raises:
        VtubeStudioError: another plugin holds the mouth.
        ConnectionClosed: VTube Studio went away.
    """
    known = await api.parameters()
    closing = 0
    answers = asyncio.create_task(api.follow())
    try:
        async for mouth in frames:
            if answers.done():
                answers.result()  # raises: it ends by nothing else
            closing = CLOSING_FRAMES if mouth is not None else closing - 1
            if closing > 0:
                values = parameters_of(mouth or CLOSED)
                await api.inject({name: part for name, part in values.items() if name in known})
    finally:
        answers.cancel()


async def _keep_driving(args: argparse.Namespace) -> None:
    """Come back whenever VTube Studio does.

    Raises:
        ClientError: VTube Studio is not there, or does not want us.
    """
    token_file: Path = args.token_file or default_token_file()
    awaited, told = bool(args.wait), False
    while True:
        try:
            async with connect(args.address, compression=None) as socket:
                awaited, told = True, False
                api = VtubeStudioApi(socket)
                _say("please allow selftalk in VTube Studio if it asks")
                token = await api.authenticate(read_token(token_file))
                write_token(token_file, token)
                _say("VTube Studio is connected")
                async with aclosing(mouths(args.server, args.lead_ms)) as frames:
                    await drive(api, frames)
        except CONNECTION_ERRORS as error:
            sentence = f"VTube Studio does not answer at {args.address}: {reason(error)}"
            if is_final(error):
                raise ClientError(sentence) from None
            if not awaited:
                raise ClientError(f"{sentence}; start it and turn on its plugin API") from None
            if not told:
                _say(f"{sentence}; waiting for it")
            told = True
        await asyncio.sleep(RETRY_SECONDS)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def default_token_file() -> Path:
    """Beside the other settings of the user."""
    chosen = os.environ.get("SELFTALK_HOME")
    usual = os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")
    return (Path(chosen) if chosen else Path(usual) / "selftalk") / "vtube_studio.token"


def read_token(path: Path) -> str:
    """The token kept from before, or ""."""
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def write_token(path: Path, token: str) -> None:
    """Keep the token for the next time, for nobody else to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:  # mode 0600
        file.write(token)
    Path(file.name).replace(path)
