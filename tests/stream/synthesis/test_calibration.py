import threading

import numpy as np
import pytest

from selftalk.stream.graphs.graph import RunOptions
from selftalk.stream.machine import cores, describe, machine_key
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.calibration import (
    CHUNK_TOKENS,
    DRAWN_TOKENS,
    calibration_path,
    costs,
    known_schedule,
    load_calibration,
    measure,
    save_calibration,
)
from selftalk.stream.synthesis.schedule import Costs, Machine, solve
from selftalk.stream.synthesis.workers import open_workers

QUICK = Machine(Costs(0.002, 0.002, 0.001), Costs(0.004, 0.005, 0.003), 3)


class FakeWorkers:
    """Takes a known time by a clock of each thread's own, twice as long in company."""

    lookahead_tokens = 2
    useful_lookahead_tokens = 20

    def __init__(self):
        self.own = threading.local()
        self.at_work = 0

    def seconds(self):
        return getattr(self.own, "now", 0.0)

    def draw(self, tokens):
        self._work(0.002 * tokens)

    def vocode(self, tokens, before):
        read_again = 0.0001 * (before + tokens) if before else 0
        self._work(0.01 + 0.001 * tokens + read_again)

    def _work(self, seconds):
        company = threading.active_count() > self.alone
        self.own.now = self.seconds() + seconds * (2 if company else 1)

    alone = threading.active_count()


def test_the_best_is_measured_alone_and_the_worst_in_company():
    workers = FakeWorkers()
    workers.alone = threading.active_count()
    machine = measure(workers, workers.seconds)
    assert (machine.lookahead_tokens, machine.useful_lookahead_tokens) == (2, 20)
    assert machine.best.token_seconds == pytest.approx(0.85 * 0.002)
    assert machine.best.chunk_seconds == pytest.approx(0.85 * 0.01)
    assert machine.worst.token_seconds == pytest.approx(1.25 * 0.004)
    assert machine.worst.chunk_seconds == pytest.approx(1.25 * 0.02)
    assert machine.worst.chunk_token_seconds == pytest.approx(1.25 * 0.002)
    assert machine.worst.known_token_seconds == pytest.approx(1.25 * 0.0002)


@pytest.mark.parametrize("above", [True, False])
def test_the_line_lies_on_one_side_of_all_times(above):
    times = [0.011, 0.014, 0.013, 0.031]
    line = costs(0.001, times, 1.0, above=above)
    fitted = line.chunk_seconds + line.chunk_token_seconds * np.array(CHUNK_TOKENS)
    beyond = fitted - times if above else times - fitted
    assert beyond.min() >= -1e-12
    assert fitted == pytest.approx(times, abs=0.015)


def test_what_was_measured_is_found_again_and_only_for_the_same_way_of_running(
    tiny_bundle, tmp_path, monkeypatch
):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    one, two = RunOptions(1), RunOptions(2)
    assert known_schedule(tiny_bundle, one, one) is None
    save_calibration(calibration_path(tiny_bundle, one, one), QUICK)
    assert known_schedule(tiny_bundle, one, one) == solve(QUICK)
    assert known_schedule(tiny_bundle, two, one) is None


def test_a_damaged_measurement_is_none(tmp_path):
    path = tmp_path / "half.json"
    path.write_text('{"best": ')
    assert load_calibration(path) is None


def test_the_workers_of_a_bundle_work(tiny_bundle):
    workers = open_workers(tiny_bundle)
    workers.draw(DRAWN_TOKENS)
    workers.vocode(2, before=0)
    workers.vocode(25, before=50)


def test_the_machine_says_what_it_is():
    assert cores() >= 1
    assert f"{cores()} cores of " in describe()
    assert machine_key("a") == machine_key("a") != machine_key("b")


@pytest.fixture
def tiny_bundle(request):
    return Bundle.load(request.path.parents[2] / "data" / "bundle_tiny")
