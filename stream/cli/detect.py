"""`selftalk detect`: was this file made by a machine that marks what it makes?"""

import argparse
import json
from pathlib import Path

from selftalk.stream.trust.detection import detect_file

NOTHING_FOUND = 1


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `detect` to the command line."""
    parser = subparsers.add_parser(
        "detect",
        help="look for the marks of synthetic speech in a file",
        description="Print label, watermark and cue as one JSON object."
        " Exit code: 0 found synthetic, 1 nothing found (which proves nothing), 2 bad input.",
    )
    parser.add_argument("file", type=Path, help="WAV, FLAC, Ogg or MP3; M4A and M4B with PyAV")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Detect; see `add_parser`."""
    findings = detect_file(args.file)
    print(json.dumps({"file": str(args.file), **findings.to_dict()}, ensure_ascii=False))
    return 0 if findings.synthetic else NOTHING_FOUND
