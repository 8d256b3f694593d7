"""`selftalk voices`: who can speak; and how a voice of yours is deleted."""

import argparse
import json
import math
from datetime import UTC, datetime
from pathlib import Path

from selftalk.stream.errors import ConsentError
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.voices import Voice, list_voices
from selftalk.stream.trust.forgetting import forget_voice
from selftalk.stream.trust.permission import is_stock, require_consent


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `voices` to the command line."""
    parser = subparsers.add_parser("voices", help="list the voices, or delete one of yours")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(metavar="COMMAND")
    delete = commands.add_parser(
        "delete", help="delete a voice with its recordings, weights, caches and receipts"
    )
    delete.add_argument("voice", metavar="NAME", help="of a voice of yours")
    delete.set_defaults(run=run_delete)


def run(args: argparse.Namespace) -> int:
    """Print a line for each voice."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    for name, path in sorted(list_voices(bundle.voices_folder).items()):
        voice = Voice.load(path)
        pitch_hz = math.exp(voice.mean_log_pitch)
        own = path.parent != bundle.voices_folder
        silent = _why_silent(name, voice, own)
        if args.json:
            line = {"voice": name, "pitch_hz": round(pitch_hz), "own": own, "about": voice.about}
            print(json.dumps(line | {"may_speak": not silent}, ensure_ascii=False))
        else:
            about = silent or voice.about.get("description", "")
            print(f"{name:20} {pitch_hz:4.0f} Hz  {'your own' if own else 'shipped'}  {about}")
    return 0


def run_delete(args: argparse.Namespace) -> int:
    """Delete a voice of the user's and say what went."""
    deleted = forget_voice(args.voice)
    for path in deleted:
        print(f"deleted {path}")
    print(f"'{args.voice}' is gone; a tombstone without a name of a person is left")
    return 0


def _why_silent(name: str, voice: Voice, own: bool) -> str:
    """Why a voice may not speak; empty if it may."""
    if not own and is_stock(voice.about):
        return ""
    try:
        require_consent(name, voice.about, voice.speaker, datetime.now(UTC))
    except ConsentError as error:
        return str(error)
    return ""
