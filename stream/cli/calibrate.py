"""`selftalk calibrate`: measure this machine, so that speech begins as early as it safely can."""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

from selftalk.stream.config import load_config
from selftalk.stream.machine import describe
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.calibration import calibration_path, measure, save_calibration
from selftalk.stream.synthesis.schedule import TOKEN_RATE_HZ, Schedule, solve
from selftalk.stream.synthesis.workers import open_workers
from selftalk.stream.talk import run_options

SHOWN_TOKENS = 4 * TOKEN_RATE_HZ


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `calibrate` to the command line."""
    parser = subparsers.add_parser("calibrate", help="measure how early speech can safely begin")
    parser.add_argument("bundle", nargs="?", type=Path, help="a folder; by default the shipped one")
    parser.add_argument("--config", default="default", help="settings: where and how it is run")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count processor time: for a machine that is busier now than it will be",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, keep, and print."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    engine = load_config(args.config).engine
    runs = run_options(engine, bundle, lambda line: print(line, file=sys.stderr))
    workers = open_workers(bundle, *runs)
    machine = measure(workers, time.thread_time if args.cpu_time else time.perf_counter)
    path = calibration_path(bundle, *runs)
    save_calibration(path, machine)
    schedule = solve(machine)
    if args.json:
        facts = {"bundle": bundle.manifest.name, "hardware": describe(), "path": str(path)}
        chunks, ahead = chunks_of(schedule)
        facts |= dataclasses.asdict(schedule) | {"chunks": chunks, "ahead_tokens": ahead}
        print(json.dumps(facts))
    else:
        report(schedule, path)
    return 0


def report(schedule: Schedule, path: Path) -> None:
    """Print what was measured and what follows from it."""
    print(describe())
    read_again = schedule.machine.worst.known_token_seconds > 0
    for name, costs in (("at best ", schedule.machine.best), ("at worst", schedule.machine.worst)):
        print(
            f"{name}: a token {1000 * costs.token_seconds:.1f} ms; a chunk"
            f" {1000 * costs.chunk_seconds:.1f} ms and"
            f" {1000 * costs.chunk_token_seconds:.1f} ms for each of its tokens"
            + f", {1000 * costs.known_token_seconds:.2f} ms for each before"
            * read_again
        )
    chunks, ahead = (", ".join(map(str, numbers)) for numbers in chunks_of(schedule))
    print(f"chunks of {chunks} tokens, {1000 // TOKEN_RATE_HZ} ms each")
    if schedule.machine.useful_lookahead_tokens > schedule.machine.lookahead_tokens:
        print(f"of which {ahead} wait for the next chunk, which they let sound better")
    print(f"sound after {1000 * schedule.first_sound_seconds:.0f} ms at worst, then without a gap")
    if schedule.prebuffer_chunks > 1:
        print(f"too slow to begin at once: {schedule.prebuffer_chunks} chunks are made first")
    print(f"kept in {path}")


def chunks_of(schedule: Schedule) -> tuple[list[int], list[int]]:
    """Of the chunks of a few seconds: tokens drawn for each, and those known beyond it."""
    plan = schedule.begin()
    drawn: list[int] = []
    ahead: list[int] = []
    while sum(drawn) < SHOWN_TOKENS:
        drawn.append(plan.limit)
        plan.cut(plan.limit)
        ahead.append(sum(drawn) - plan.spoken_tokens)
    return drawn, ahead
