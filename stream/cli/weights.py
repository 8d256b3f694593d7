"""`selftalk weights`: list, fetch and remove third-party weights.

Knows how to print and to ask; `weights.py` does the work.
"""

import argparse
import json
import sys

from selftalk.stream.fetching.weights import WeightsStatus, list_weights, remove, resolve

MEBIBYTE = 1 << 20
BAR_CHARACTERS = 24


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `weights` and its actions to the command line."""
    parser = subparsers.add_parser("weights", help="list, fetch and remove model weights")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="what there is, whose it is, what is cached")
    listing.add_argument("--json", action="store_true", help="one JSON object per line")
    fetching = actions.add_parser("fetch", help="fetch weights that are not cached")
    fetching.add_argument("names", nargs="*", metavar="NAME", help="default: the default set")
    fetching.add_argument("--set", choices=("default", "optional", "training"), default="default")
    fetching.add_argument("--json", action="store_true", help="one JSON object per line")
    removing = actions.add_parser("remove", help="delete cached weights")
    removing.add_argument("names", nargs="+", metavar="NAME")
    parser.set_defaults(run=run, json=False)


def run(args: argparse.Namespace) -> int:
    """Carry out one action; errors are `SelftalkError`s for the caller to print."""
    if args.action == "fetch":
        _fetch(args.names or _names_of_set(args.set), args.json)
    elif args.action == "remove":
        for name in args.names:
            print(f"{name}: {remove(name) / MEBIBYTE:.1f} MiB freed")
    else:
        _list(args.json)
    return 0


class ProgressBar:
    """One line on standard error, redrawn in place; silent when nobody looks at a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._shown = -1

    def __call__(self, file: str, done_bytes: int, total_bytes: int) -> None:
        """Show how much of a file is there."""
        percent = 100 * done_bytes // max(1, total_bytes)
        if percent == self._shown or not sys.stderr.isatty():
            return
        self._shown = percent
        bar = "#" * (BAR_CHARACTERS * percent // 100)
        line = (
            f"{self._label} {file} [{bar:{BAR_CHARACTERS}}] {percent:3d}% of {_size(total_bytes)}"
        )
        sys.stderr.write(f"\r\033[K{line}" + ("\n" if done_bytes == total_bytes else ""))
        sys.stderr.flush()


def _names_of_set(wanted: str) -> list[str]:
    return [status.name for status in list_weights() if status.artefact.set == wanted]


def _fetch(names: list[str], as_json: bool) -> None:
    for name in names:
        path = resolve(name, ProgressBar(name))
        print(json.dumps({"name": name, "path": str(path)}) if as_json else f"{name}: {path}")


def _list(as_json: bool) -> None:
    for status in list_weights():
        print(json.dumps(_row(status)) if as_json else _line(status))


def _row(status: WeightsStatus) -> dict[str, str | int | bool]:
    artefact = status.artefact
    return {
        "name": status.name,
        "task": artefact.task,
        "set": artefact.set,
        "licence": artefact.licence,
        "publisher": artefact.publisher,
        "origin": artefact.origin,
        "size_bytes": artefact.size_bytes,
        "cached": status.cached,
        "path": str(status.path),
    }


def _line(status: WeightsStatus) -> str:
    artefact = status.artefact
    state = "cached" if status.cached else "-"
    copy = "; third-party copy" if artefact.origin == "third-party-copy" else ""
    return (
        f"{status.name:20} {state:7} {_size(artefact.size_bytes):>10}  {artefact.set:9}"
        f" {artefact.task} ({artefact.licence}, {artefact.publisher}{copy})"
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / MEBIBYTE:.1f} MiB"
