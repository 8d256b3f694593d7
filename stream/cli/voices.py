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
from selftalk.stream.trust.receipts import Receipt

SOON_DAYS = 30
"""When the list begins to remind of the end of a consent."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `voices` to the command line."""
    parser = subparsers.add_parser("voices", help="list the voices, or delete one of yours")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("list", help="the same as without a command")
    delete = commands.add_parser(
        "delete", help="delete a voice with its recordings, weights, caches and receipts"
    )
    delete.add_argument("voice", metavar="NAME", help="of a voice of yours")
    delete.set_defaults(run=run_delete)


def run(args: argparse.Namespace) -> int:
    """Print a line for each voice."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    now = datetime.now(UTC)
    for name, path in sorted(list_voices(bundle.voices_folder).items()):
        voice = Voice.load(path)
        pitch_hz = math.exp(voice.mean_log_pitch)
        own = path.parent != bundle.voices_folder
        consent = _consent(name, voice, own, now)
        if args.json:
            line = {"voice": name, "pitch_hz": round(pitch_hz), "own": own, "about": voice.about}
            line["may_speak"] = not isinstance(consent, ConsentError)
            if isinstance(consent, Receipt):
                line |= {"scope": consent.scope, "expires_at": consent.expires_at.isoformat()}
            print(json.dumps(line, ensure_ascii=False))
        else:
            about = _told(consent, now) or voice.about.get("description", "")
            print(f"{name:20} {pitch_hz:4.0f} Hz  {'your own' if own else 'shipped'}  {about}")
    return 0


def run_delete(args: argparse.Namespace) -> int:
    """Delete a voice of the user's and say what went."""
    deleted = forget_voice(args.voice)
    for path in deleted:
        print(f"deleted {path}")
    print(f"'{args.voice}' is gone; a tombstone without a name of a person is left")
    return 0


def _consent(name: str, voice: Voice, own: bool, now: datetime) -> Receipt | ConsentError | None:
    """The receipt of a person's voice, or why it may not speak; None for a stock voice."""
    if not own and is_stock(voice.about):
        return None
    try:
        return require_consent(name, voice.about, voice.speaker, now)
    except ConsentError as error:
        return error


def _told(consent: Receipt | ConsentError | None, now: datetime) -> str:
    """Why a voice is silent, or for what and until when it may speak; empty for a stock voice."""
    if not isinstance(consent, Receipt):
        return str(consent or "")
    told = f"for {consent.purpose}, until {consent.expires_at:%Y-%m-%d}"
    days = (consent.expires_at - now).days
    if days >= SOON_DAYS:
        return told
    return f"{told}: {days} days left, `selftalk consent give {consent.voice}` renews it"
