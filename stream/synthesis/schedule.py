"""Schedule: how many tokens each chunk holds, so that sound begins early and never stops.

Two workers make an utterance: one draws tokens, one turns chunks of them into sound, each chunk
after the one before it. A `Machine` says how long they take at best and at worst. Sound that begins
after chunk j lasts if every later chunk k is done before what is heard runs out:

    done(k) at worst  ≤  done(j) at best  +  sound in the chunks before k

Both sides grow with every single cost, so this holds for any run between best and worst. The first
chunk is the smallest that allows it, later ones grow, but where it can be helped none is longer
than all before it: beside others who begin to speak at the same time it may take several times as
long. Where a chunk sounds better when more of what follows it is known, it waits for as many tokens
more as the inequality allows.
Knows nothing about models or clocks.
"""

import sys
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, repeat, takewhile
from typing import Protocol

TOKEN_RATE_HZ = 25
LONGEST_CHUNK_TOKENS = 25
"""One second: a longer chunk hardly costs less, and a barge-in throws it away."""
HORIZON_TOKENS = 12 * TOKEN_RATE_HZ
"""So far ahead there must be no gap; a clause is hardly longer."""
USUAL_LENGTHS = (6, 4, 6, 10, 16, 25)
"""Of chunks on a machine that was not measured. The second is short: only the first is heard by
then, and where several begin to speak at once, each waits for the others."""
MODEST_TOKENS = 3
"""A chunk of so many is never too long beside what is heard before it."""
JITTER_SECONDS = 0.03
"""Every chunk is due so much earlier: threads wait for each other, and players read in blocks."""
PIECES_AHEAD = 3
"""Drawn before the vocoder wants them: two wait, one is in hand."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of work; all grow linearly."""

    token_seconds: float
    """To draw a token."""
    chunk_seconds: float
    """To vocode a chunk, however short: the call, and the context that is heard again."""
    chunk_token_seconds: float
    """And for each token in it."""
    known_token_seconds: float = 0.0
    """And for each token that is known by then, from the utterance's first: they are read again."""


@dataclass(frozen=True, slots=True)
class Machine:
    """How fast speech is made here."""

    best: Costs
    worst: Costs
    lookahead_tokens: int = 0
    """So many tokens after a chunk must be known before it can be sound."""
    useful_lookahead_tokens: int = 0
    """Knowing up to so many makes it better, if there is time to wait for them."""


def at_speed(machine: Machine, speed: float, pitch: float) -> Machine:
    """A machine as it seems to who hears a voice so much faster, and so much higher.

    A token is then as much sound as ever, while all work takes longer; but of a faster voice there
    is less to make, and of a higher one more, which is played faster.

    Args:
        machine: for the voice as it is.
        speed: 2 is twice as fast.
        pitch: 2 is an octave higher.
    """

    def seen(costs: Costs) -> Costs:
        return Costs(
            speed * costs.token_seconds,
            speed * costs.chunk_seconds,
            pitch * costs.chunk_token_seconds,
            speed * costs.known_token_seconds,
        )

    return replace(machine, best=seen(machine.best), worst=seen(machine.worst))


class ChunkPlan(Protocol):
    """The chunks of one utterance: asked how long the next may be, told how long it was."""

    @property
    def limit(self) -> int:
        """So many tokens are drawn at the latest before the next chunk becomes sound."""
        ...

    @property
    def prebuffer_chunks(self) -> int:
        """So many must be sound before the first is heard."""
        ...

    @property
    def spoken_tokens(self) -> int:
        """So many tokens of the utterance are sound with the chunks that were cut."""
        ...

    def may_cut(self, tokens: int) -> bool:
        """Whether the next chunk may be cut already after so many tokens."""
        ...

    def cut(self, tokens: int) -> None:
        """It was cut after so many tokens."""
        ...

    def finish(self, tokens: int) -> list[int]:
        """The utterance was over after so many: `spoken_tokens` after each of its last chunks."""
        ...


class FixedPlan:
    """Chunks of given lengths, the last one again and again."""

    prebuffer_chunks = 1

    def __init__(self, lengths: tuple[int, ...], lookahead_tokens: int = 0) -> None:
        assert lengths, "at least one length"
        self._lengths = lengths
        self._lookahead_tokens = lookahead_tokens
        self._chunks = 0
        self._known = 0

    @property
    def limit(self) -> int:
        """See `ChunkPlan`."""
        return self._lengths[min(self._chunks, len(self._lengths) - 1)]

    @property
    def spoken_tokens(self) -> int:
        """See `ChunkPlan`."""
        return max(0, self._known - self._lookahead_tokens)

    def may_cut(self, tokens: int) -> bool:
        """Only at the limit."""
        return tokens >= self.limit

    def cut(self, tokens: int) -> None:
        """See `ChunkPlan`."""
        self._known += tokens
        self._chunks += 1

    def finish(self, tokens: int) -> list[int]:
        """All that is left becomes one chunk."""
        return [self._known + tokens]


class PatientPlan:
    """No chunk before the whole utterance is known, then chunks of given lengths."""

    limit = sys.maxsize
    prebuffer_chunks = 1
    spoken_tokens = 0

    def __init__(self, lengths: tuple[int, ...]) -> None:
        self._lengths = lengths

    def may_cut(self, tokens: int) -> bool:
        """Never."""
        del tokens
        return False

    def cut(self, tokens: int) -> None:
        """There is no other."""
        raise AssertionError(tokens)

    def finish(self, tokens: int) -> list[int]:
        """See `ChunkPlan`."""
        lengths = chain(self._lengths, repeat(self._lengths[-1]))
        ends = list(takewhile(lambda end: end < tokens, accumulate(lengths)))
        return [*ends, tokens]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where both workers are; 0 is when the first token is begun."""

    drawn: float = 0.0
    vocoded: float = 0.0
    begun: tuple[float, ...] = ()
    """When the last chunks were taken by the vocoder."""
    known_tokens: int = 0
    spoken_tokens: int = 0

    @property
    def ahead_tokens(self) -> int:
        """So many are known, but not yet sound."""
        return self.known_tokens - self.spoken_tokens

    def after(self, costs: Costs, tokens: int, spoken: int) -> "Progress":
        """Once another chunk is done.

        Args:
            costs: of the work.
            tokens: drawn before it.
            spoken: how many become sound with it.
        """
        waiting = self.begun[0] if len(self.begun) == PIECES_AHEAD else 0.0
        drawn = max(self.drawn, waiting) + tokens * costs.token_seconds
        begin = max(self.vocoded, drawn)
        known = self.known_tokens + tokens
        work = spoken * costs.chunk_token_seconds + known * costs.known_token_seconds
        vocoded = begin + costs.chunk_seconds + work
        begun = (*self.begun, begin)[-PIECES_AHEAD:]
        return Progress(drawn, vocoded, begun, known, self.spoken_tokens + spoken)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the utterances of a machine are cut; see `solve`."""

    machine: Machine
    first_tokens: int
    """Drawn before the first chunk."""
    held_tokens: int
    """In the next ones, as long as nothing is heard."""
    prebuffer_chunks: int
    """See `ChunkPlan`."""
    first_sound_seconds: float
    """From the first token's beginning to the first sound, at worst."""

    def begin(self) -> "SafePlan":
        """Plan the chunks of another utterance."""
        return SafePlan(self)


@dataclass(slots=True)
class SafePlan:
    """Chunks as long as they can be without a gap, then as late."""

    schedule: Schedule
    _slow: Progress = field(default_factory=Progress)
    _fast: Progress = field(default_factory=Progress)
    _chunks: int = 0
    _heard_from: float = 0.0
    _limit: int = 0
    _length: int = 0  # of the sound in the next chunk, in tokens

    def __post_init__(self) -> None:
        self._limit = self.schedule.first_tokens
        self._length = self._limit - self.schedule.machine.lookahead_tokens

    @property
    def limit(self) -> int:
        """See `ChunkPlan`."""
        return self._limit

    @property
    def prebuffer_chunks(self) -> int:
        """See `ChunkPlan`."""
        return self.schedule.prebuffer_chunks

    @property
    def spoken_tokens(self) -> int:
        """See `ChunkPlan`."""
        return self._slow.spoken_tokens

    def may_cut(self, tokens: int) -> bool:
        """Whether a chunk of so many tokens can be followed by another in time."""
        if tokens >= self._limit:
            return True
        if self._chunks < self.prebuffer_chunks or 2 * tokens < self._limit:
            return False
        slow = self._slow.after(self.schedule.machine.worst, tokens, tokens)
        return self._longest_safe(slow) is not None

    def cut(self, tokens: int) -> None:
        """See `ChunkPlan`."""
        speakable = self._slow.ahead_tokens + tokens - self.schedule.machine.lookahead_tokens
        self._speak(tokens, min(self._length, speakable))

    def finish(self, tokens: int) -> list[int]:
        """The rest becomes one chunk if that is in time, else as many as before its end was known.

        None of them waits for tokens any more, so they are sooner than they were proved to be.
        """
        ends: list[int] = []
        while not ends or self._slow.ahead_tokens:
            rest = self._slow.ahead_tokens + tokens
            at_once = rest <= 2 * LONGEST_CHUNK_TOKENS and self._in_time(tokens, rest)
            self._speak(tokens, rest if at_once else min(self._length, rest))
            ends.append(self._slow.spoken_tokens)
            tokens = 0
        return ends

    def _speak(self, tokens: int, spoken: int) -> None:
        machine = self.schedule.machine
        self._slow = self._slow.after(machine.worst, tokens, spoken)
        self._chunks += 1
        if self._chunks <= self.prebuffer_chunks:
            self._fast = self._fast.after(machine.best, tokens, spoken)
            self._heard_from = self._fast.vocoded
        if self._chunks >= self.prebuffer_chunks:
            # Near the horizon nothing may last beyond it; what was proved up to there still holds.
            longest = self._longest_safe(self._slow) or self._length
            self._limit, self._length = self._most_patient(longest)
        else:
            self._length = self._limit = self.schedule.held_tokens

    def _in_time(self, tokens: int, spoken: int) -> bool:
        """Whether a chunk is sound before those behind it were heard."""
        if self._chunks < self.prebuffer_chunks:
            return True
        slow = self._slow.after(self.schedule.machine.worst, tokens, spoken)
        return slow.vocoded <= due(self._heard_from, self._slow)

    def _longest_safe(self, slow: Progress) -> int | None:
        """Of chunks no longer than the sound before them; if none is safe, the least that is."""
        modest = min(max(MODEST_TOKENS, slow.spoken_tokens), LONGEST_CHUNK_TOKENS)
        for length in chain(range(modest, 0, -1), range(modest + 1, LONGEST_CHUNK_TOKENS + 1)):
            if lasts(self.schedule.machine, slow, self._heard_from, length):
                return length
        return None

    def _most_patient(self, longest: int) -> tuple[int, int]:
        """Of the next chunk, from half as long as it could be: tokens drawn for it, and in it.

        That for which most tokens can be waited for, and of those the longest.
        """
        slow, machine = self._slow, self.schedule.machine
        for more in range(machine.useful_lookahead_tokens - slow.ahead_tokens, 0, -1):
            for length in range(longest, longest // 2, -1):
                if self._in_time(length + more, length):
                    after = slow.after(machine.worst, length + more, length)
                    if lasts(machine, after, self._heard_from, length):
                        return length + more, length
        return longest, longest


def due(heard_from: float, done: Progress) -> float:
    """When the next chunk must be sound, if sound began at a time."""
    return heard_from - JITTER_SECONDS + done.spoken_tokens / TOKEN_RATE_HZ


def lasts(machine: Machine, slow: Progress, heard_from: float, length: int) -> bool:
    """Whether sound goes on without a gap when all further chunks have one length.

    Args:
        machine: how fast speech is made.
        slow: where the workers are at worst.
        heard_from: when the sound began, at best.
        length: of each chunk to come.
    """
    horizon = max(HORIZON_TOKENS, slow.spoken_tokens + 2 * LONGEST_CHUNK_TOKENS)
    while slow.spoken_tokens < horizon:
        latest = due(heard_from, slow)
        slow = slow.after(machine.worst, length, length)
        if slow.vocoded > latest:
            return False
    return True


def solve(machine: Machine, first_tokens: int | None = None) -> Schedule:
    """The schedule with the earliest sound that never stops; a slow machine has to wait first.

    Args:
        machine: how fast speech is made.
        first_tokens: to draw before the first chunk, more than its look-ahead; None: as few as can
            be.
    """
    lengths = range(1, LONGEST_CHUNK_TOKENS + 1)
    best: Schedule | None = None
    for first in lengths[machine.lookahead_tokens :] if first_tokens is None else [first_tokens]:
        for held in lengths:
            bound = best.first_sound_seconds if best else float("inf")
            best = _earliest(machine, first, held, bound) or best
    assert best is not None, machine
    return best


def _earliest(machine: Machine, first: int, held: int, bound: float) -> Schedule | None:
    """Hold back as few chunks as need be, at most a whole utterance; None if later than a bound."""
    spoken = first - machine.lookahead_tokens
    slow = Progress().after(machine.worst, first, spoken)
    fast = Progress().after(machine.best, first, spoken)
    chunks = 1
    while slow.vocoded < bound:
        if slow.spoken_tokens >= HORIZON_TOKENS or lasts(machine, slow, fast.vocoded, held):
            return Schedule(machine, first, held, chunks, slow.vocoded)
        slow, fast = slow.after(machine.worst, held, held), fast.after(machine.best, held, held)
        chunks += 1
    return None


def plan_chunks(lengths: tuple[int, ...] | None, schedule: Schedule | None) -> ChunkPlan:
    """The plan of an utterance: lengths that were asked for, else a schedule, else the usual."""
    if lengths is None and schedule is not None:
        return schedule.begin()
    return FixedPlan(lengths or USUAL_LENGTHS)
