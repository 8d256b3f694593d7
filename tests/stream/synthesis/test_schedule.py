import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftalk.stream.synthesis.chunks import pieces_of, windows_of
from selftalk.stream.synthesis.schedule import (
    HORIZON_TOKENS,
    LONGEST_CHUNK_TOKENS,
    MODEST_TOKENS,
    TOKEN_RATE_HZ,
    USUAL_LENGTHS,
    Costs,
    FixedPlan,
    Machine,
    PatientPlan,
    SafePlan,
    at_speed,
    plan_chunks,
    solve,
)

QUICK = Machine(Costs(0.002, 0.002, 0.001), Costs(0.004, 0.005, 0.003))


NOTHING_USEFUL = st.just(0)


def machines(slowest_token_ms=45, useful_tokens=NOTHING_USEFUL):
    milliseconds = st.tuples(
        st.floats(0.1, slowest_token_ms),
        st.floats(0, 150),
        st.floats(0.1, 40),
        st.sampled_from((0, 0.3)),
    )
    return st.builds(
        lambda worst, share, lookahead, useful: Machine(
            Costs(*(share * each / 1000 for each in worst)),
            Costs(*(each / 1000 for each in worst)),
            lookahead,
            useful,
        ),
        milliseconds,
        st.floats(0.3, 1),
        st.integers(0, 4),
        useful_tokens,
    )


class World:
    """Two workers with a queue of two between them, second by second as they please."""

    def __init__(self, machine, luck):
        self.machine, self.luck = machine, luck

    def _seconds(self, name):
        best, worst = getattr(self.machine.best, name), getattr(self.machine.worst, name)
        return best + self.luck() * (worst - best)

    def run(self, chunks):
        """When each chunk is sound: of so many tokens drawn for it, and so many that are said."""
        drawn, vocoded, known, taken, done = 0.0, 0.0, 0, [], []
        for index, (tokens, spoken) in enumerate(chunks):
            if index >= 3:  # the one before could be put away when the third before was taken
                drawn = max(drawn, taken[index - 3])
            drawn += sum(self._seconds("token_seconds") for _ in range(tokens))
            known += tokens
            taken.append(max(drawn, vocoded))
            vocoded = taken[-1] + self._seconds("chunk_seconds")
            vocoded += spoken * self._seconds("chunk_token_seconds")
            vocoded += known * self._seconds("known_token_seconds")
            done.append(vocoded)
        return done

    def gaps(self, chunks, held_chunks, tokens_per_second=TOKEN_RATE_HZ):
        """By how many seconds each chunk comes too late for the listener."""
        done = self.run(chunks)
        heard = [
            spoken / tokens_per_second for spoken in itertools.accumulate(s for _, s in chunks)
        ]
        held = min(held_chunks, len(chunks))
        return [
            done[index] - (done[held - 1] + heard[index - 1]) for index in range(held, len(chunks))
        ]


def any_luck(random):
    return (lambda: random.choice((0.0, 1.0))) if random.random() < 0.5 else random.random


@settings(deadline=None, max_examples=30)
@given(machines(), st.integers(1, HORIZON_TOKENS), st.randoms(use_true_random=False))
def test_sound_never_stops_on_any_machine_within_its_bounds(machine, length, random):
    schedule = solve(machine)
    silent = [random.random() < 0.15 for _ in range(length)]
    plan = schedule.begin()
    lengths = [len(piece) for piece in pieces_of(iter(range(length)), plan, silent)]
    assert sum(lengths) == length
    known = [0, *itertools.accumulate(lengths)]
    spoken = [max(0, tokens - machine.lookahead_tokens) for tokens in known]
    chunks = list(zip(lengths, map(int.__sub__, spoken[1:], spoken), strict=True))
    late = World(machine, any_luck(random)).gaps(chunks, schedule.prebuffer_chunks)
    assert all(each <= 1e-9 for each in late)


@settings(deadline=None, max_examples=60)
@given(
    machines(useful_tokens=st.integers(4, 60)),
    st.integers(0, HORIZON_TOKENS),
    st.randoms(use_true_random=False),
)
def test_nor_does_it_where_chunks_wait_for_what_follows(machine, length, random):
    schedule = solve(machine)
    windows = list(windows_of(iter(range(length)), schedule.begin()))
    known = [0, *itertools.accumulate(len(window.tokens) for window in windows)]
    ends = [0, *(window.spoken_tokens for window in windows)]
    assert [token for window in windows for token in window.tokens] == list(range(length))
    assert ends == sorted(ends)
    assert ends[-1] == length
    assert [window.left for window in windows if window.left is not None][-1] == 0
    for window, heard in zip(windows, known[1:], strict=True):
        assert window.left is not None or (
            machine.lookahead_tokens
            <= heard - window.spoken_tokens
            <= max(machine.lookahead_tokens, machine.useful_lookahead_tokens)
        )
    late = World(machine, any_luck(random)).gaps(chunks_of(windows), schedule.prebuffer_chunks)
    assert all(each <= 1e-9 for each in late)


def chunks_of(windows):
    """Tokens drawn for each, and said by each."""
    ends = [0, *(window.spoken_tokens for window in windows)]
    spoken = map(int.__sub__, ends[1:], ends)
    return [(len(window.tokens), said) for window, said in zip(windows, spoken, strict=True)]


@settings(deadline=None, max_examples=30)
@given(
    machines(slowest_token_ms=25, useful_tokens=st.integers(4, 30)),
    st.floats(0.5, 2),
    st.floats(0.5, 2),
    st.integers(1, HORIZON_TOKENS),
    st.randoms(use_true_random=False),
)
def test_nor_where_a_voice_is_faster_or_higher(machine, speed, pitch, length, random):
    schedule = solve(at_speed(machine, speed, pitch))
    windows = list(windows_of(iter(range(length)), schedule.begin()))

    def made(costs):  # frames of a token: fewer of a faster voice, more of a higher one
        return replace(costs, chunk_token_seconds=costs.chunk_token_seconds * pitch / speed)

    real = replace(machine, best=made(machine.best), worst=made(machine.worst))
    late = World(real, any_luck(random)).gaps(
        chunks_of(windows), schedule.prebuffer_chunks, TOKEN_RATE_HZ * speed
    )
    assert all(each <= 1e-9 for each in late)


@settings(deadline=None, max_examples=20)
@given(machines(), st.integers(1, 60))
def test_what_follows_is_never_waited_for_before_the_first_sound(machine, useful):
    patient = solve(replace(machine, useful_lookahead_tokens=useful))
    assert replace(patient, machine=machine) == solve(machine)


def ahead_of(machine, tokens=100):
    """How many tokens are known ahead of each chunk while the utterance goes on."""
    windows = list(windows_of(iter(range(tokens)), solve(machine).begin()))
    known = itertools.accumulate(len(window.tokens) for window in windows)
    return [
        heard - window.spoken_tokens
        for window, heard in zip(windows, known, strict=True)
        if window.left is None
    ]


def test_a_quick_machine_soon_knows_as_much_as_is_useful_and_a_slow_one_no_more_than_it_must():
    quick = ahead_of(replace(QUICK, lookahead_tokens=4, useful_lookahead_tokens=25))
    assert quick == sorted(quick)
    assert (quick[0], quick[-1]) == (4, 25)
    slow = Machine(Costs(0.014, 0.03, 0.02), Costs(0.028, 0.065, 0.039), 4, 25)
    assert set(ahead_of(slow)) == {4}
    middling = Machine(Costs(0.006, 0.03, 0.008), Costs(0.01, 0.05, 0.014), 4, 25)
    assert ahead_of(middling)[1] > 4, "the second chunk already"


@settings(deadline=None, max_examples=20)
@given(machines(), st.floats(1.1, 3))
def test_a_faster_machine_is_never_heard_later(machine, factor):
    def faster(costs):
        return Costs(*(getattr(costs, name) / factor for name in Costs.__slots__))

    quick = replace(machine, best=faster(machine.best), worst=faster(machine.worst))
    assert solve(quick).first_sound_seconds <= solve(machine).first_sound_seconds + 1e-9


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
    silent = [token in (47, 57) for token in range(100)]  # the first comes just after a cut
    plan = solve(QUICK).begin()
    pieces = list(pieces_of(iter(range(100)), plan, silent))
    ends = [piece[-1] for piece in pieces]
    assert 57 in ends
    assert 47 not in ends
    assert all(len(piece) <= LONGEST_CHUNK_TOKENS for piece in pieces)
    never = list(pieces_of(iter(range(100)), solve(QUICK).begin(), [False] * 100))
    assert [len(piece) for piece in never] == [
        len(piece) for piece in pieces_of(iter(range(100)), solve(QUICK).begin())
    ]


def test_on_a_quick_machine_no_chunk_is_longer_than_all_before_it():
    plan = solve(QUICK).begin()
    spoken = []
    while plan.spoken_tokens < HORIZON_TOKENS:
        plan.cut(plan.limit)
        spoken.append(plan.spoken_tokens)
    assert all(
        after - before <= max(MODEST_TOKENS, before) for before, after in itertools.pairwise(spoken)
    )
    assert spoken[-1] - spoken[-2] == LONGEST_CHUNK_TOKENS


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


def test_who_waits_for_the_whole_utterance_then_speaks_it_in_chunks():
    first, *rest = windows_of(iter(range(100)), PatientPlan((5, 20, 40)))
    assert first.tokens == list(range(100))
    assert [window.spoken_tokens for window in (first, *rest)] == [5, 25, 65, 100]
    assert [window.left for window in (first, *rest)] == [95, 75, 35, 0]
    assert not any(window.tokens for window in rest)


@pytest.mark.parametrize("tokens", [0, 1])
def test_hardly_any_tokens(tokens):
    pieces = list(pieces_of(iter(range(tokens)), solve(QUICK).begin()))
    assert pieces == [[0]][:tokens]
