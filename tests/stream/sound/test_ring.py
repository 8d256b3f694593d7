import threading
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.sound.ring import SampleRing


def count(start, length):
    return np.arange(start, start + length, dtype=np.float32)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12))))
def test_what_is_read_is_what_was_accepted_in_order(steps):
    ring, written, read = SampleRing(8), [], []
    for to_write, to_read in steps:
        samples = count(ring.written_samples, to_write)
        written += samples[: ring.write(samples)].tolist()
        read += ring.read(to_read).tolist()
    assert read + ring.read().tolist() == written
    assert ring.written_samples == ring.read_samples == len(written)


def test_what_does_not_fit_is_dropped_and_counted():
    ring = SampleRing(4)
    assert ring.write(count(0, 6)) == 4
    assert ring.dropped_samples == 2
    assert ring.read().tolist() == [0, 1, 2, 3]


def test_reading_into_a_block_leaves_its_rest_untouched():
    ring = SampleRing(8)
    ring.write(count(1, 3))
    out = np.full(5, 9, np.float32)
    assert ring.read_into(out) == 3
    assert out.tolist() == [1, 2, 3, 9, 9]


def test_skipping_drops_what_waits_before_a_position():
    ring = SampleRing(8)
    ring.write(count(0, 6))
    ring.skip_to(4)
    ring.skip_to(2)
    assert ring.read().tolist() == [4, 5]


def test_two_threads_lose_nothing():
    ring, total, received = SampleRing(64), 5_000, []

    def produce():
        sent = 0
        while sent < total:
            sent += ring.write(count(sent, min(37, total - sent)))
            time.sleep(0)  # lets the other thread run

    producer = threading.Thread(target=produce)
    producer.start()
    while len(received) < total:
        received += ring.read(29).tolist()
        time.sleep(0)
    producer.join()
    assert received == count(0, total).tolist()
