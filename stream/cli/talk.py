"""`selftalk talk`: a conversation at the microphone, or from and to files."""

import argparse
import asyncio
import json
import sys
import time
from contextlib import nullcontext
from importlib import resources
from pathlib import Path

from selftalk.stream.cli.weights import ProgressBar
from selftalk.stream.config import TalkConfig, load_config
from selftalk.stream.dialogue.events import Failure, Notice, Say, SentenceReady, UserSaid
from selftalk.stream.errors import DeviceError
from selftalk.stream.selves import Self, load_self, self_names
from selftalk.stream.sound.clock import SampleClock
from selftalk.stream.sound.files import FileMicrophone, FileSpeaker
from selftalk.stream.sound.io import AudioSource
from selftalk.stream.stopwatch import TurnReport
from selftalk.stream.talk import Tell, load_cast, open_session, play_opening
from selftalk.stream.trust.labels import label_file, notice_in

REPLY_FILE = Path("reply.wav")
QUESTION = "recordings/go_somewhere.flac"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `talk` to the command line."""
    parser = subparsers.add_parser("talk", help="talk with yourself")
    parser.add_argument("--self", default="friend", help=f"one of {', '.join(self_names())}")
    parser.add_argument("--voice", help="see `selftalk voices`; by default the self's own")
    parser.add_argument("--language", help="what you speak, a code such as en; default en")
    parser.add_argument(
        "--mic", nargs="+", metavar="FILE|NAME", help="recordings, or part of a device's name"
    )
    parser.add_argument("--speaker", metavar="FILE|NAME", help="OUT.wav, or a device's name")
    parser.add_argument(
        "--responder", choices=("auto", "chat", "embedded", "mirror"), help="who answers"
    )
    parser.add_argument("--fast", action="store_true", help="files: do not wait for real time")
    parser.add_argument("--greet", action="store_true", help="the self speaks first")
    parser.add_argument(
        "--demo",
        action="store_true",
        help=f"without a sound card or a terminal: answer a recorded question into {REPLY_FILE}",
    )
    parser.add_argument("--config", default="default", help="a shipped config, or a TOML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="a single setting"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per turn")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Hold the conversation; see `add_parser`."""
    config = load_config(args.config, [*args.set, *_assignments(args)])
    asyncio.run(_talk(args, config, load_self(args.self)))
    return 0


def _assignments(args: argparse.Namespace) -> list[str]:
    """The options that are short forms of settings."""
    short = {
        "voice.name": args.voice,
        "recognizer.language": args.language,
        "responder.engine": args.responder,
    }
    return [f"{key}={json.dumps(value)}" for key, value in short.items() if value is not None]


async def _talk(args: argparse.Namespace, config: TalkConfig, self_: Self) -> None:
    if args.demo and not (sys.stdin.isatty() and _has_sound_card(_status_of(args))):
        args.mic, args.speaker = [str(resources.files("selftalk.configs") / QUESTION)], REPLY_FILE
    if args.mic and all(Path(name).suffix for name in args.mic):
        await _talk_in_files(args, config, self_)
    else:
        await _talk_at_devices(args, config, self_)


async def _talk_in_files(args: argparse.Namespace, config: TalkConfig, self_: Self) -> None:
    clock = SampleClock(fast=args.fast)
    microphone = FileMicrophone(args.mic, clock)  # a bad file is found before models are loaded
    busy = clock.busy if args.fast else nullcontext
    cast = await load_cast(
        config, self_, progress=ProgressBar("fetching"), tell=_status_of(args), busy=busy
    )
    output = Path(args.speaker) if args.speaker else None
    speaker = FileSpeaker(output, clock, cast.synthesizer.sample_rate_hz)
    seconds = clock.seconds if args.fast else time.monotonic
    session = open_session(cast, config, microphone, speaker, seconds)
    session.subscribe(Transcript(self_, args.json))

    def cue(notice: Notice | TurnReport) -> None:
        if isinstance(notice, TurnReport):
            microphone.cue()

    session.subscribe(cue)
    opened = asyncio.create_task(play_opening(speaker, config))
    try:
        if first := _first_words(config, self_, greet=args.greet):
            session.tell(Say(first))
        await session.run()
    finally:
        opened.cancel()
        await cast.responder.responder.close()
        speaker.close()
    if output and output.exists():
        label_file(output, config.labels)
        _status_of(args)(f"what was heard: {output}")


async def _talk_at_devices(args: argparse.Namespace, config: TalkConfig, self_: Self) -> None:
    from selftalk.stream.echo.cancellation import EchoCancelledSource
    from selftalk.stream.sound.devices import Microphone, Speaker

    speaker = Speaker(str(args.speaker or config.audio.speaker) or None)
    microphone = Microphone(str(args.mic[0] if args.mic else config.audio.microphone) or None)
    cast = await load_cast(config, self_, progress=ProgressBar("fetching"), tell=_status_of(args))
    source: AudioSource = microphone
    if config.audio.echo_cancellation:
        source = EchoCancelledSource(microphone, speaker)
    session = open_session(cast, config, source, speaker)
    session.subscribe(Transcript(self_, args.json))
    opened = asyncio.create_task(play_opening(speaker, config))
    session.tell(Say(_first_words(config, self_, greet=True)))
    _status_of(args)("listening; Ctrl-C ends the conversation")
    try:
        await session.run()
    finally:
        opened.cancel()
        await cast.responder.responder.close()
        microphone.close()
        speaker.close()


def _first_words(config: TalkConfig, self_: Self, *, greet: bool) -> str:
    """What is said before anybody asks: that a machine speaks, if that is due, and a greeting."""
    language = config.recognizer.language
    greeting = [self_.greeting_in(language)] if greet else []
    return " ".join([*notice_in(language, config.labels), *greeting])


class Transcript:
    """Prints what happens: lines for people, or one JSON object per turn and nothing else."""

    def __init__(self, self_: Self, as_json: bool) -> None:
        self._name = self_.name
        self._json = as_json

    def __call__(self, notice: Notice | TurnReport) -> None:
        """A listener of the session."""
        if self._json:
            if isinstance(notice, TurnReport):
                print(json.dumps(notice.as_dict(), ensure_ascii=False), flush=True)
            return
        match notice:
            case UserSaid():
                print(f"you: {notice.text}", flush=True)
            case SentenceReady():
                print(f"{self._name}: {notice.text}", flush=True)
            case Failure():
                print(f"({notice.stage.value} failed: {notice.message})", file=sys.stderr)
            case TurnReport():
                print(f"    {notice.metrics.waterfall()}", flush=True)


def _has_sound_card(tell: Tell) -> bool:
    from selftalk.stream.sound.devices import list_devices

    try:
        return bool(list_devices())
    except DeviceError as error:
        tell(f"{error}")
        tell("so a recorded question is answered")
        return False


def _status_of(args: argparse.Namespace) -> Tell:
    return _say_nothing if args.json else _print_status


def _print_status(line: str) -> None:
    print(f"· {line}", file=sys.stderr, flush=True)


def _say_nothing(line: str) -> None:
    del line
