import pytest

from selftalk.clients.playback_clock import PlaybackClock, Position


def at(clock, now):
    position = clock.position(now)
    return position and Position(position.item_id, round(position.milliseconds))


def test_what_comes_early_is_heard_without_a_gap():
    clock = PlaybackClock(lead_seconds=0.1)
    clock.push("a", 200, now=1.0)
    clock.push("a", 300, now=1.05)
    assert at(clock, 1.05) is None
    assert at(clock, 1.15) == ("a", 50)
    assert at(clock, 1.4) == ("a", 300)
    assert at(clock, 1.61) is None


def test_what_comes_late_makes_a_gap():
    clock = PlaybackClock(lead_seconds=0.0)
    clock.push("a", 100, now=0.0)
    assert at(clock, 0.2) is None
    clock.push("a", 100, now=0.5)
    assert at(clock, 0.55) == ("a", 150)


def test_items_follow_one_another():
    clock = PlaybackClock(lead_seconds=0.0)
    clock.push("a", 100, now=0.0)
    clock.push("b", 100, now=0.01)
    assert at(clock, 0.05) == ("a", 50)
    assert at(clock, 0.15) == ("b", 50)


def test_a_cut_silences_and_refuses_the_rest_of_the_item():
    clock = PlaybackClock(lead_seconds=0.0)
    clock.push("a", 1000, now=0.0)
    clock.cut(now=0.3)
    clock.push("a", 1000, now=0.31)
    assert at(clock, 0.4) is None
    clock.push("b", 1000, now=0.5)
    assert at(clock, 0.6) == ("b", 100)


@pytest.mark.parametrize("pieces", [[300], [100, 200], [1] * 300])
def test_chunked_equals_whole(pieces):
    clock = PlaybackClock(lead_seconds=0.05)
    for piece in pieces:
        clock.push("a", piece, now=0.0)
    shown = [at(clock, (place + 0.5) / 100) for place in range(40)]
    heard = [("a", 10 * (place - 5) + 5) if 5 <= place < 35 else None for place in range(40)]
    assert shown == heard
