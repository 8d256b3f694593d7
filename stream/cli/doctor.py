"""`selftalk doctor`: is everything there, does it work, and how fast."""

import argparse
import dataclasses
import json

from selftalk.stream.doctor import findings

SIGNS = {"ok": "✓", "missing": "–", "broken": "✗"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor` to the command line."""
    parser = subparsers.add_parser("doctor", help="check this machine and measure it")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings as they come; 1 if something is broken, not merely missing."""
    broken = False
    for finding in findings():
        broken |= finding.status == "broken"
        if args.json:
            print(json.dumps(dataclasses.asdict(finding), ensure_ascii=False), flush=True)
        else:
            print(f"{SIGNS[finding.status]} {finding.check:18} {finding.fact}", flush=True)
            if finding.advice:
                print(f"  {'':18} → {finding.advice}", flush=True)
    return int(broken)
