"""Cancelling: at whatever moment, not one more step is begun."""

import gc
import threading
from pathlib import Path

import numpy as np
import pytest

from selftalk.stream.graphs.graph import Graph
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.voices import Voice

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"
TEXT = "Hello there, my friend, how are you today? " * 3
NOBODY = Voice("nobody", np.full(256, 1 / 16, np.float32), 5.0)


@pytest.fixture(scope="module")
def synthesizer():
    return NanoSynthesizer(Bundle.load(TINY))


class Steps:
    """Counts the steps of the token decoder; sets a flag in the middle of one of them."""

    def __init__(self):
        self.begun, self.at, self.stop = 0, 0, StopFlag()

    def note(self):
        self.begun += 1
        if self.begun == self.at:
            self.stop.set()


@pytest.fixture
def steps(monkeypatch):
    counted, advance = Steps(), Graph.advance

    def noting(graph, state, **inputs):
        if "previous" in inputs:
            counted.note()
        return advance(graph, state, **inputs)

    monkeypatch.setattr(Graph, "advance", noting)
    return counted


def test_a_hundred_moments(synthesizer, steps):
    list(synthesizer.stream(TEXT, NOBODY))
    total = steps.begun
    assert total > 20
    for at in np.random.default_rng(0).integers(1, total + 1, 100):
        steps.begun, steps.at, steps.stop = 0, int(at), StopFlag()
        heard = list(synthesizer.stream(TEXT, NOBODY, stop=steps.stop))
        assert steps.begun == at
        assert sum(len(chunk.audio) for chunk in heard) <= at * 960


def test_whoever_stops_listening_ends_the_drawing(synthesizer, steps):
    threads = threading.active_count()
    for _ in range(20):
        chunks = synthesizer.stream(TEXT, NOBODY)
        next(chunks)
        chunks.close()
        begun = steps.begun
        assert threading.active_count() == threads
        assert steps.begun == begun


@pytest.mark.slow
def test_500_sentences_leave_nothing_behind(synthesizer):
    def resident_kb():
        gc.collect()
        lines = Path("/proc/self/status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith("VmRSS")]
        return int(line.split()[1])

    settled = 0
    for count in range(500):
        for _ in synthesizer.stream(f"Sentence number {count % 60}, my friend.", NOBODY):
            pass
        if count == 50:
            settled = resident_kb()
    assert resident_kb() - settled <= 5 * 1024
