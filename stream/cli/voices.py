"""`selftalk voices`: who can speak."""

import argparse
import json
import math
from pathlib import Path

from selftalk.stream.bundle import Bundle, default_bundle
from selftalk.stream.voices import Voice, list_voices


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `voices` to the command line."""
    parser = subparsers.add_parser("voices", help="list the voices")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each voice."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    for name, path in sorted(list_voices(bundle.voices_folder).items()):
        voice = Voice.load(path)
        pitch_hz = math.exp(voice.mean_log_pitch)
        own = path.parent != bundle.voices_folder
        if args.json:
            line = {"voice": name, "pitch_hz": round(pitch_hz), "own": own, "about": voice.about}
            print(json.dumps(line, ensure_ascii=False))
        else:
            about = voice.about.get("description", "")
            print(f"{name:20} {pitch_hz:4.0f} Hz  {'your own' if own else 'shipped'}  {about}")
    return 0
