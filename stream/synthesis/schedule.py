"""Schedule: how many tokens each chunk holds, so that sound begins early and never stops.

Two workers make an utterance: one draws tokens, one turns chunks of them into sound, each chunk
after the one before it. A `Machine` says how long they take at best and at worst. Sound that begins
after chunk j lasts if every later chunk k is done before what is heard runs out:

    done(k) at worst  ≤  done(j) at best  +  sound in the chunks before k

Both sides grow with every single cost, so this holds for any run between best and worst. The first
chunk is the smallest that allows it, later ones grow. Knows nothing about models or clocks.
"""

from dataclasses import dataclass, field
from typing import Protocol

TOKEN_RATE_HZ = 25
LONGEST_CHUNK_TOKENS = 25
"""One second: a longer chunk hardly costs less, and a barge-in throws it away."""
HORIZON_TOKENS = 12 * TOKEN_RATE_HZ
"""So far ahead there must be no gap; a clause is hardly longer."""
USUAL_LENGTHS = (6, 10, 16, 25)
"""Of chunks on a machine that was not measured."""
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


@dataclass(frozen=True, slots=True)
class Machine:
    """How fast speech is made here."""

    best: Costs
    worst: Costs
    lookahead_tokens: int = 0
    """So many tokens at the end of a chunk become sound only with the next one."""


class ChunkPlan(Protocol):
    """The chunks of one utterance: asked how long the next may be, told how long it was."""

    @property
    def limit(self) -> int:
        """The length at which the chunk now being drawn ends at the latest."""
        ...

    @property
    def prebuffer_chunks(self) -> int:
        """So many must be sound before the first is heard."""
        ...

    def may_cut(self, tokens: int) -> bool:
        """Whether it may end already after so many tokens."""
        ...

    def cut(self, tokens: int) -> None:
        """It ended after so many tokens."""
        ...


class FixedPlan:
    """Chunks of given lengths, the last one again and again."""

    prebuffer_chunks = 1

    def __init__(self, lengths: tuple[int, ...]) -> None:
        assert lengths, "at least one length"
        self._lengths = lengths
        self._chunks = 0

    @property
    def limit(self) -> int:
        """See `ChunkPlan`."""
        return self._lengths[min(self._chunks, len(self._lengths) - 1)]

    def may_cut(self, tokens: int) -> bool:
        """Only at the limit."""
        return tokens >= self.limit

    def cut(self, tokens: int) -> None:
        """See `ChunkPlan`."""
        del tokens
        self._chunks += 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Where both workers are; 0 is when the first token is begun."""

    drawn: float = 0.0
    vocoded: float = 0.0
    begun: tuple[float, ...] = ()
    """When the last chunks were taken by the vocoder."""

    def after(self, costs: Costs, tokens: int) -> "Progress":
        """Once another chunk is done."""
        waiting = self.begun[0] if len(self.begun) == PIECES_AHEAD else 0.0
        drawn = max(self.drawn, waiting) + tokens * costs.token_seconds
        begin = max(self.vocoded, drawn)
        vocoded = begin + costs.chunk_seconds + tokens * costs.chunk_token_seconds
        return Progress(drawn, vocoded, (*self.begun, begin)[-PIECES_AHEAD:])


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the utterances of a machine are cut; see `solve`."""

    machine: Machine
    first_tokens: int
    """In the first chunk."""
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
    """Chunks as long as they can be without a gap."""

    schedule: Schedule
    _slow: Progress = field(default_factory=Progress)
    _fast: Progress = field(default_factory=Progress)
    _tokens: int = 0
    _chunks: int = 0
    _heard_from: float = 0.0
    _limit: int = 0

    def __post_init__(self) -> None:
        self._limit = self.schedule.first_tokens

    @property
    def limit(self) -> int:
        """See `ChunkPlan`."""
        return self._limit

    @property
    def prebuffer_chunks(self) -> int:
        """See `ChunkPlan`."""
        return self.schedule.prebuffer_chunks

    def may_cut(self, tokens: int) -> bool:
        """Whether a chunk of so many tokens can be followed by another in time."""
        if tokens >= self._limit:
            return True
        if self._chunks < self.prebuffer_chunks or 2 * tokens < self._limit:
            return False
        slow = self._slow.after(self.schedule.machine.worst, tokens)
        return self._longest_safe(slow, self._tokens + tokens) is not None

    def cut(self, tokens: int) -> None:
        """See `ChunkPlan`."""
        machine = self.schedule.machine
        self._slow = self._slow.after(machine.worst, tokens)
        self._tokens += tokens
        self._chunks += 1
        if self._chunks <= self.prebuffer_chunks:
            self._fast = self._fast.after(machine.best, tokens)
            self._heard_from = self._fast.vocoded
        if self._chunks >= self.prebuffer_chunks:
            # Near the horizon nothing may last beyond it; what was proved up to there still holds.
            self._limit = self._longest_safe(self._slow, self._tokens) or self._limit
        else:
            self._limit = self.schedule.held_tokens

    def _longest_safe(self, slow: Progress, tokens: int) -> int | None:
        for length in range(LONGEST_CHUNK_TOKENS, 0, -1):
            if lasts(self.schedule.machine, slow, self._heard_from, tokens, length):
                return length
        return None


def lasts(machine: Machine, slow: Progress, heard_from: float, tokens: int, length: int) -> bool:
    """Whether sound goes on without a gap when all further chunks have one length.

    Once chunks of another length no longer wait between the workers, the time at which the k-th is
    done is the largest of three sums that are linear in k, so it is late first at either end: only
    the first few chunks and the last have to be looked at.

    Args:
        machine: how fast speech is made.
        slow: where the workers are at worst.
        heard_from: when the sound began, at best.
        tokens: in the chunks that are done.
        length: of each chunk to come.
    """
    due = heard_from - JITTER_SECONDS - machine.lookahead_tokens / TOKEN_RATE_HZ
    rest = -(-(max(HORIZON_TOKENS, tokens + 2 * LONGEST_CHUNK_TOKENS) - tokens) // length)
    for _ in range(min(rest, PIECES_AHEAD + 1)):
        slow = slow.after(machine.worst, length)
        if slow.vocoded > due + tokens / TOKEN_RATE_HZ:
            return False
        tokens, rest = tokens + length, rest - 1
    if not rest:
        return True
    draw = length * machine.worst.token_seconds
    vocode = machine.worst.chunk_seconds + length * machine.worst.chunk_token_seconds
    last = max(
        slow.vocoded + rest * vocode,
        slow.drawn + draw + rest * vocode,
        slow.drawn + rest * draw + vocode,
    )
    return last <= due + (tokens + (rest - 1) * length) / TOKEN_RATE_HZ


def solve(machine: Machine) -> Schedule:
    """The schedule with the earliest sound that never stops; a slow machine has to wait first."""
    lengths = range(1, LONGEST_CHUNK_TOKENS + 1)
    best: Schedule | None = None
    for first in lengths[machine.lookahead_tokens :]:
        for held in lengths:
            bound = best.first_sound_seconds if best else float("inf")
            best = _earliest(machine, first, held, bound) or best
    assert best is not None, machine
    return best


def _earliest(machine: Machine, first: int, held: int, bound: float) -> Schedule | None:
    """Hold back as few chunks as need be, at most a whole utterance; None if later than a bound."""
    slow = Progress().after(machine.worst, first)
    fast = Progress().after(machine.best, first)
    tokens, chunks = first, 1
    while slow.vocoded < bound:
        if tokens >= HORIZON_TOKENS or lasts(machine, slow, fast.vocoded, tokens, held):
            return Schedule(machine, first, held, chunks, slow.vocoded)
        slow, fast = slow.after(machine.worst, held), fast.after(machine.best, held)
        tokens, chunks = tokens + held, chunks + 1
    return None


def plan_chunks(lengths: tuple[int, ...] | None, schedule: Schedule | None) -> ChunkPlan:
    """The plan of an utterance: lengths that were asked for, else a schedule, else the usual."""
    if lengths is None and schedule is not None:
        return schedule.begin()
    return FixedPlan(lengths or USUAL_LENGTHS)
