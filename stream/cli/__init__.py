"""The command `selftalk`: finds its subcommands, runs one, turns errors into one sentence.

Each subcommand is a module with `add_parser` and `run`, registered as an entry point of the group
`selftalk.commands`, so that `stream` need not know who else brings commands (export, training).

    0 done    1 a negative answer    2 bad input or a missing piece    130 interrupted
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points, version
from pathlib import Path

from selftalk.stream.errors import SelftalkError

GROUP = "selftalk.commands"
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """The parser with every installed subcommand."""
    parser = argparse.ArgumentParser(
        prog="selftalk",
        description="Talk, in real time, with yourself.",
        epilog="Details of a command: selftalk COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"selftalk {version('selftalk')}")
    subparsers = parser.add_subparsers(metavar="COMMAND")
    for command in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        command.load().add_parser(subparsers)
    return parser


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; files may also stand behind them, where argparse itself takes no list."""
    options, left = parser.parse_known_args(arguments)
    if left and getattr(options, "files", None) == [] and not any(a.startswith("-") for a in left):
        options.files, left = [Path(each) for each in left], []
    if left:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `selftalk` with arguments (by default the process's own); return the exit code."""
    parser = build_parser()
    options = parse(parser, arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return EXIT_BAD_INPUT
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except SelftalkError as error:
        print(f"selftalk: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
