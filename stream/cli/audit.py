"""`selftalk audit`: what was done with whose voice."""

import argparse
import json

from selftalk.stream.trust.audit import AuditLog

BROKEN = 1


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `audit` to the command line."""
    parser = subparsers.add_parser("audit", help="the log of what was done with whose voice")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    verify = commands.add_parser(
        "verify", help="whether the log is as it was written; exit code 1 if not"
    )
    verify.add_argument("--json", action="store_true", help="one JSON object")
    verify.set_defaults(run=run_verify)
    show = commands.add_parser("show", help="print the log")
    show.set_defaults(run=run_show)


def run_verify(args: argparse.Namespace) -> int:
    """Check the chain of hashes."""
    log = AuditLog()
    lines, wrong = log.verify()
    if args.json:
        print(json.dumps({"path": str(log.path), "lines": lines, "wrong": wrong or None}))
    else:
        print(f"{log.path}: {wrong or f'{lines} lines, unbroken'}")
    return BROKEN if wrong else 0


def run_show(args: argparse.Namespace) -> int:
    """Print every line as it is."""
    del args
    for line in AuditLog().lines():
        print(line.decode("utf-8", "replace"))
    return 0
