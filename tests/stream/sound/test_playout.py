import numpy as np
import pytest

from selftalk.stream.sound.playout import Playout

RATE = 1000  # one sample is one millisecond; a fade is 20


def ones(length):
    return np.ones(length, np.float32)


def render(playout, *blocks):
    pieces = []
    for block in blocks:
        out = np.full(block, 9, np.float32)
        playout.render(out)
        pieces.append(out)
    return np.concatenate(pieces)


def test_what_was_written_is_rendered_then_silence():
    playout = Playout(RATE)
    assert playout.write(np.arange(5, dtype=np.float32), 1) == 5
    assert render(playout, 3, 4).tolist() == [0, 1, 2, 3, 4, 0, 0]


def test_the_queue_is_bounded():
    playout = Playout(RATE)
    assert playout.write(ones(3000), 1) == 2000
    assert playout.write(ones(1000), 1) == 0
    render(playout, 100)
    assert playout.write(ones(1000), 1) == 100


def test_each_generation_knows_what_of_it_was_heard():
    playout = Playout(RATE)
    playout.write(ones(100), 1)
    playout.write(ones(50), 2)
    render(playout, 120)
    assert (playout.heard(1), playout.queued(1)) == (100, 0)
    assert (playout.heard(2), playout.queued(2)) == (20, 30)
    assert playout.heard(3) == 0


@pytest.mark.parametrize("block", [1, 7, 20, 100])
def test_a_cut_fades_out_and_nothing_follows(block):
    playout = Playout(RATE)
    playout.write(ones(500), 1)
    render(playout, 100)
    assert playout.clear(1) == 120
    rendered = render(playout, *[block] * (100 // block))
    steps = np.abs(np.diff(np.concatenate([ones(1), rendered])))
    assert steps.max() < 0.06
    assert rendered[20:].max() == 0
    assert playout.heard(1) == 120
    assert playout.queued(1) == 0


def test_what_comes_late_of_a_cleared_generation_is_refused():
    playout = Playout(RATE)
    playout.clear(3)
    assert playout.write(ones(10), 2) == -1
    assert playout.write(ones(10), 3) == -1
    assert playout.write(ones(10), 4) == 10
    assert playout.is_cleared(3)
    assert not playout.is_cleared(4)


def test_the_next_generation_follows_the_fade_whole():
    playout = Playout(RATE)
    playout.write(ones(500), 1)
    render(playout, 100)
    playout.clear(1)
    playout.write(ones(30), 2)
    rendered = render(playout, 100)
    assert rendered[20:50].tolist() == [1.0] * 30
    assert rendered[50:].max() == 0
    assert playout.heard(2) == 30


def test_a_second_cut_during_the_fade_does_not_jump_back():
    playout = Playout(RATE)
    playout.write(ones(500), 1)
    playout.clear(1)
    playout.write(ones(100), 2)
    faded = render(playout, 10)
    playout.clear(2)
    rendered = np.concatenate([faded, render(playout, 100)])
    assert np.all(np.diff(rendered[:20]) <= 0)
    assert rendered[20:].max() == 0
    assert playout.heard(2) == 0


def test_clearing_an_old_generation_leaves_the_newer_one():
    playout = Playout(RATE)
    playout.write(ones(100), 1)
    playout.write(ones(50), 2)
    playout.clear(1)
    assert render(playout, 100)[20:70].tolist() == [1.0] * 50


def test_clearing_in_silence_is_no_fade():
    playout = Playout(RATE)
    playout.write(ones(10), 1)
    render(playout, 50)
    assert playout.clear(1) == 10
    playout.write(ones(10), 2)
    assert render(playout, 10).tolist() == [1.0] * 10


def test_the_gain_changes_without_a_jump():
    playout = Playout(RATE)
    playout.write(ones(300), 1)
    playout.set_gain(0.25)
    rendered = render(playout, *[10] * 10)
    assert np.abs(np.diff(rendered)).max() < 0.06
    assert rendered[-1] == 0.25
    playout.set_gain(1.0)
    assert render(playout, *[10] * 10)[-1] == 1.0


def test_heard_lags_behind_by_the_latency_of_the_device():
    playout = Playout(RATE)
    playout.latency_samples = 30
    playout.write(ones(40), 1)
    render(playout, 10, 10, 10, 10)
    assert playout.heard(1) == 10
    assert playout.queued(1) == 30
    render(playout, 10, 10, 10)
    assert (playout.heard(1), playout.queued(1)) == (40, 0)


def test_silence_inside_a_generation_is_counted():
    playout = Playout(RATE)
    playout.write(ones(10), 1)
    render(playout, 25)
    assert playout.starved_samples == 15
    playout.finish(1)
    render(playout, 25)
    assert playout.starved_samples == 15
