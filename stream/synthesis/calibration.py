"""Calibration: how long this machine takes to draw tokens and to vocode chunks of them.

Each kind of work is timed alone, as it is at the beginning of an utterance, and while the other
goes on, as it is from then on. The best of the one and the worst of the other, with a margin, are
the bounds between which a schedule holds. A chunk late in an utterance costs more where all of it
is read again: how much for each token is measured too. The result is kept for each machine, voice
model and way of running it. Knows nothing about how the work is done.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import onnxruntime

from selftalk.stream.graphs.graph import RunOptions
from selftalk.stream.home import cache_folder
from selftalk.stream.machine import machine_key
from selftalk.stream.sound.audio import write_atomically
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.schedule import Costs, Machine, Schedule, solve

Clock = Callable[[], float]

DRAWN_TOKENS = 75
"""Three seconds of speech: later tokens of an utterance cost more."""
CHUNK_TOKENS = (2, 6, 12, 25)
SOON_TOKENS, LATE_TOKENS = 50, 250
"""Said before a chunk that is timed."""
ROUNDS = 7
BEST_SHARE, WORST_SHARE = 0.85, 1.25
"""Margins for moments that are quicker or slower than all that were measured."""


class Workers(Protocol):
    """The two kinds of work of a voice model, each in a thread of its own."""

    @property
    def lookahead_tokens(self) -> int:
        """See `Machine`."""
        ...

    @property
    def useful_lookahead_tokens(self) -> int:
        """See `Machine`."""
        ...

    def draw(self, tokens: int) -> None:
        """Draw tokens of some utterance."""
        ...

    def vocode(self, tokens: int, before: int) -> None:
        """Turn a chunk of so many tokens into sound, `before` of the utterance being said."""
        ...


def measure(workers: Workers, seconds: Clock = time.perf_counter) -> Machine:
    """Time the work; takes some seconds, and other programs make it look slower than it is."""
    drawing = partial(workers.draw, DRAWN_TOKENS)
    vocoding = partial(workers.vocode, CHUNK_TOKENS[-1], SOON_TOKENS)
    drawing(), vocoding()  # the first run of anything is slower
    first = [(tokens, 0) for tokens in CHUNK_TOKENS]
    later = [(tokens, SOON_TOKENS) for tokens in CHUNK_TOKENS] + [(CHUNK_TOKENS[0], LATE_TOKENS)]
    alone = _token_seconds(drawing, seconds), _chunk_seconds(workers, first, seconds)
    with _meanwhile(vocoding):
        drawn = _token_seconds(drawing, seconds)
    with _meanwhile(drawing):
        *vocoded, late = _chunk_seconds(workers, later, seconds)
    more = statistics.median(late) - statistics.median(vocoded[0])
    known = max(0.0, more / (LATE_TOKENS - SOON_TOKENS))
    return Machine(
        best=costs(min(alone[0]), [min(times) for times in alone[1]], BEST_SHARE),
        worst=costs(
            upper(drawn), [upper(times) for times in vocoded], WORST_SHARE, known, above=True
        ),
        lookahead_tokens=workers.lookahead_tokens,
        useful_lookahead_tokens=workers.useful_lookahead_tokens,
    )


def costs(
    token_seconds: float,
    chunk_seconds: Sequence[float],
    share: float,
    known_token_seconds: float = 0.0,
    *,
    above: bool = False,
) -> Costs:
    """Fit a line to the times of chunks of `CHUNK_TOKENS`, on one side of them all.

    Args:
        token_seconds: to draw a token.
        chunk_seconds: for each length.
        share: what to multiply everything by.
        known_token_seconds: of each time, for every token known by then.
        above: whether no time may lie above the line, rather than none below it.
    """
    lengths, times = np.array(CHUNK_TOKENS, np.float64), np.array(chunk_seconds)
    if known_token_seconds:
        times = (times - known_token_seconds * (SOON_TOKENS + lengths)).clip(0)
    slope = max(0.0, float(np.polyfit(lengths, times, 1)[0]))
    if not above:
        slope = min(slope, float((times / lengths).min()))
    rests = times - slope * lengths
    fixed = max(0.0, float(rests.max() if above else rests.min()))
    return Costs(share * token_seconds, share * fixed, share * slope, share * known_token_seconds)


def upper(times: Sequence[float]) -> float:
    """The time that one in ten exceeds."""
    return statistics.quantiles(times, n=10, method="inclusive")[-1]


def calibration_path(bundle: Bundle, *runs: RunOptions) -> Path:
    """Where the measurement of a voice model, run in this way, is kept on this machine."""
    hashes = sorted(spec.sha256 for spec in bundle.manifest.graphs.values())
    key = machine_key(onnxruntime.__version__, hashes, runs)
    return cache_folder() / "calibration" / f"{bundle.manifest.name}-{key}.json"


def save_calibration(path: Path, machine: Machine) -> None:
    """Keep a measurement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, msgspec.json.format(msgspec.json.encode(machine)))


def load_calibration(path: Path) -> Machine | None:
    """The measurement, or None if there is none; a damaged file is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Machine)
    except (OSError, msgspec.MsgspecError):
        return None


def known_schedule(bundle: Bundle, *runs: RunOptions) -> Schedule | None:
    """The schedule of a voice model on this machine; None if it was not measured."""
    machine = load_calibration(calibration_path(bundle, *runs))
    return solve(machine) if machine else None


def _token_seconds(drawing: Callable[[], None], seconds: Clock) -> list[float]:
    return [_timed(drawing, seconds) / DRAWN_TOKENS for _ in range(ROUNDS)]


def _chunk_seconds(
    workers: Workers, chunks: Sequence[tuple[int, int]], seconds: Clock
) -> list[list[float]]:
    """Times of each chunk; they take turns, so that a slow moment is shared by all."""
    rounds = [
        [_timed(partial(workers.vocode, *chunk), seconds) for chunk in chunks]
        for _ in range(ROUNDS)
    ]
    return [list(times) for times in zip(*rounds, strict=True)]


def _timed(work: Callable[[], None], seconds: Clock) -> float:
    started = seconds()
    work()
    return seconds() - started


@contextmanager
def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do something again and again in another thread."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            work()

    thread = threading.Thread(target=run, name="meanwhile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
