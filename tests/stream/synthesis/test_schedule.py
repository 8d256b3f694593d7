import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftalk.stream.synthesis.chunks import pieces_of
from selftalk.stream.synthesis.schedule import (
    HORIZON_TOKENS,
    JITTER_SECONDS,
    LONGEST_CHUNK_TOKENS,
    TOKEN_RATE_HZ,
    USUAL_LENGTHS,
    Costs,
    FixedPlan,
    Machine,
    Progress,
    SafePlan,
    lasts,
    plan_chunks,
    solve,
)

QUICK = Machine(Costs(0.002, 0.002, 0.001), Costs(0.004, 0.005, 0.003))


def machines(slowest_token_ms=45):
    milliseconds = st.tuples(
        st.floats(0.1, slowest_token_ms), st.floats(0, 150), st.floats(0.1, 40)
    )
    return st.builds(
        lambda worst, share, lookahead: Machine(
            Costs(*(share * each / 1000 for each in worst)),
            Costs(*(each / 1000 for each in worst)),
            lookahead,
        ),
        milliseconds,
        st.floats(0.3, 1),
        st.integers(0, 4),
    )


class World:
    """Two workers with a queue of two between them, second by second as they please."""

    def __init__(self, machine, luck):
        self.machine, self.luck = machine, luck

    def _seconds(self, name):
        best, worst = getattr(self.machine.best, name), getattr(self.machine.worst, name)
        return best + self.luck() * (worst - best)

    def run(self, lengths):
        """When each chunk is sound."""
        drawn, vocoded, taken, done = 0.0, 0.0, [], []
        for index, length in enumerate(lengths):
            if index >= 3:  # the one before could be put away when the third before was taken
                drawn = max(drawn, taken[index - 3])
            drawn += sum(self._seconds("token_seconds") for _ in range(length))
            taken.append(max(drawn, vocoded))
            vocoded = taken[-1] + self._seconds("chunk_seconds")
            vocoded += length * self._seconds("chunk_token_seconds")
            done.append(vocoded)
        return done


def gaps(machine, lengths, done, held_chunks):
    """By how many seconds each chunk comes too late for the listener."""
    begin = done[held_chunks - 1]
    tokens = list(itertools.accumulate(lengths))
    for index in range(held_chunks, len(lengths)):
        heard = max(0, tokens[index - 1] - machine.lookahead_tokens) / TOKEN_RATE_HZ
        yield done[index] - (begin + heard)


@settings(deadline=None, max_examples=30)
@given(machines(), st.integers(1, HORIZON_TOKENS), st.randoms(use_true_random=False))
def test_sound_never_stops_on_any_machine_within_its_bounds(machine, length, random):
    schedule = solve(machine)
    silent = [random.random() < 0.15 for _ in range(length)]
    plan = schedule.begin()
    lengths = [len(piece) for piece in pieces_of(iter(range(length)), plan, silent)]
    assert sum(lengths) == length
    extremes = random.random() < 0.5
    luck = (lambda: random.choice((0.0, 1.0))) if extremes else random.random
    done = World(machine, luck).run(lengths)
    held = min(schedule.prebuffer_chunks, len(lengths))
    assert all(late <= 1e-9 for late in gaps(machine, lengths, done, held))


@settings(deadline=None, max_examples=20)
@given(machines(), st.floats(1.1, 3))
def test_a_faster_machine_is_never_heard_later(machine, factor):
    def faster(costs):
        return Costs(*(getattr(costs, name) / factor for name in Costs.__slots__))

    quick = Machine(faster(machine.best), faster(machine.worst), machine.lookahead_tokens)
    assert solve(quick).first_sound_seconds <= solve(machine).first_sound_seconds + 1e-9


@settings(deadline=None, max_examples=20)
@given(machines(), st.integers(1, 299), st.integers(1, LONGEST_CHUNK_TOKENS))
def test_looking_at_both_ends_is_looking_at_all_chunks(machine, tokens, length):
    slow = Progress(0.2, 0.3).after(machine.worst, tokens)
    steady, now, heard = True, slow, tokens
    while heard < max(HORIZON_TOKENS, tokens + 50):
        now = now.after(machine.worst, length)
        sound = (heard - machine.lookahead_tokens) / TOKEN_RATE_HZ
        steady &= now.vocoded <= slow.vocoded + sound - JITTER_SECONDS
        heard += length
    assert lasts(machine, slow, slow.vocoded, tokens, length) == steady


def test_chunks_grow_to_a_second_on_a_quick_machine():
    plan = solve(QUICK).begin()
    lengths = []
    while sum(lengths) < 200:
        lengths.append(plan.limit)
        plan.cut(plan.limit)
    assert lengths == sorted(lengths)
    assert lengths[0] < 6
    assert lengths[-1] == LONGEST_CHUNK_TOKENS


def test_a_machine_slower_than_speech_waits_and_says_so():
    slow = Machine(Costs(0.05, 0.05, 0.03), Costs(0.06, 0.06, 0.04))
    schedule = solve(slow)
    assert schedule.prebuffer_chunks > 3
    plan = schedule.begin()
    for _ in range(1, schedule.prebuffer_chunks):
        plan.cut(plan.limit)
        assert plan.limit == schedule.held_tokens
    assert plan.prebuffer_chunks == schedule.prebuffer_chunks


def test_a_cut_is_made_at_a_pause_but_none_is_waited_for():
    silent = [token in (47, 57) for token in range(100)]
    plan = solve(QUICK).begin()
    pieces = list(pieces_of(iter(range(100)), plan, silent))
    ends = [piece[-1] for piece in pieces]
    assert 47 in ends
    assert all(len(piece) <= LONGEST_CHUNK_TOKENS for piece in pieces)
    never = list(pieces_of(iter(range(100)), solve(QUICK).begin(), [False] * 100))
    assert [len(piece) for piece in never] == [
        len(piece) for piece in pieces_of(iter(range(100)), solve(QUICK).begin())
    ]


def test_a_pause_too_early_is_no_reason_to_cut():
    plan = solve(QUICK).begin()
    first = plan.limit
    plan.cut(first)
    assert not plan.may_cut(1)
    assert plan.may_cut(plan.limit)


def test_lengths_that_were_asked_for_come_before_what_was_measured():
    assert isinstance(plan_chunks((5,), solve(QUICK)), FixedPlan)
    assert isinstance(plan_chunks(None, solve(QUICK)), SafePlan)
    assert plan_chunks(None, None).limit == USUAL_LENGTHS[0]


def test_fixed_lengths_grow_and_the_last_one_repeats():
    pieces = pieces_of(iter(range(20)), FixedPlan((2, 3, 6)))
    assert [len(piece) for piece in pieces] == [2, 3, 6, 6, 3]


@pytest.mark.parametrize("tokens", [0, 1])
def test_hardly_any_tokens(tokens):
    pieces = list(pieces_of(iter(range(tokens)), solve(QUICK).begin()))
    assert pieces == [[0]][:tokens]
