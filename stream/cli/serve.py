"""`selftalk serve`: let other programs talk with yourself."""

import argparse
import json
import logging
import sys

from selftalk.stream.cli.weights import ProgressBar
from selftalk.stream.config import load_config
from selftalk.stream.errors import ConfigError
from selftalk.stream.selves import load_self, self_names


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `serve` to the command line."""
    parser = subparsers.add_parser("serve", help="serve OpenAI Realtime, web pages, and more")
    parser.add_argument("--self", default="friend", help=f"one of {', '.join(self_names())}")
    parser.add_argument("--host", help="where to listen; beyond the loopback it needs a token")
    parser.add_argument("--port", type=int, help="of HTTP and WebSocket; default 8765")
    parser.add_argument("--voice", help="see `selftalk voices`; by default the self's own")
    parser.add_argument("--language", help="what users speak, a code such as en; default en")
    parser.add_argument(
        "--responder", choices=("auto", "chat", "embedded", "mirror"), help="who answers"
    )
    parser.add_argument("--config", default="default", help="a shipped config, or a TOML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="a single setting"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; see `add_parser`."""
    try:
        from selftalk.stream.server.serve import run_loop, serve
    except ModuleNotFoundError as error:
        raise ConfigError(f"serving needs {error.name}: pip install 'selftalk[server]'") from error
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    config = load_config(args.config, [*args.set, *_assignments(args)])
    run_loop(serve(config, load_self(args.self), ProgressBar("fetching"), _print_status))
    return 0


def _assignments(args: argparse.Namespace) -> list[str]:
    """The options that are short forms of settings."""
    short = {
        "server.host": args.host,
        "server.port": args.port,
        "voice.name": args.voice,
        "recognizer.language": args.language,
        "responder.engine": args.responder,
    }
    return [f"{key}={json.dumps(value)}" for key, value in short.items() if value is not None]


def _print_status(line: str) -> None:
    print(f"· {line}", file=sys.stderr, flush=True)
