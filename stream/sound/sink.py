"""PlayoutSink: an AudioSink for anything that renders a `Playout` block by block.

Converts each generation to the loudspeaker's rate and its counts back. Knows nothing about
what renders: a sound card (`devices.py`) or a clock (`files.py`).
"""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.playout import REMEMBERED_GENERATIONS, Playout
from selftalk.stream.sound.resample import LiveResampler


@dataclass(slots=True)
class _Reply:
    """What was given of one generation."""

    generation: int
    resampler: LiveResampler
    given_samples: int = 0


class PlayoutSink:
    """Queues chunks of any rate; one generation is written at a time."""

    def __init__(self, playout: Playout, next_block: Callable[[], Awaitable[None]]) -> None:
        """Take a playout and a way to wait until more of it may have been rendered."""
        self._playout = playout
        self._next_block = next_block
        self._replies: deque[_Reply] = deque(maxlen=REMEMBERED_GENERATIONS)
        self._closed = False

    async def play(self, chunk: AudioChunk, generation: int) -> bool:
        """Queue a chunk, waiting while the queue is full; False if it was cleared."""
        reply = self._reply_of(generation, chunk.sample_rate_hz)
        assert reply.resampler.from_hz == chunk.sample_rate_hz, "one rate for each generation"
        reply.given_samples += len(chunk)
        return await self._write(reply.resampler.push(chunk.samples), generation)

    async def finish(self, generation: int) -> bool:
        """Wait until the last sample of a complete generation is heard; False if cleared."""
        reply = self._find(generation)
        if reply is not None:
            await self._write(reply.resampler.flush(), generation)
        self._playout.finish(generation)
        while self._playout.queued(generation) and self._is_open(generation):
            await self._next_block()
        return self._is_open(generation)

    def clear(self, generation: int) -> int:
        """Silence this and all older generations; return how many samples were heard."""
        return self._given(generation, self._playout.clear(generation))

    def played_samples(self, generation: int) -> int:
        """How many samples of this generation have left the loudspeaker."""
        return self._given(generation, self._playout.heard(generation))

    def queued_samples(self, generation: int) -> int:
        """How many samples of this generation are accepted and not yet heard."""
        return self._given(generation, self._playout.queued(generation))

    def set_gain(self, gain: float) -> None:
        """Play on with this linear gain."""
        self._playout.set_gain(gain)

    @property
    def starved_ms(self) -> float:
        """How much silence was heard inside replies because their audio came late."""
        return 1000 * self._playout.starved_samples / self._playout.sample_rate_hz

    def close(self) -> None:
        """Refuse everything from now on and release whoever waits."""
        self._closed = True

    def _reply_of(self, generation: int, sample_rate_hz: int) -> _Reply:
        reply = self._find(generation)
        if reply is None:
            resampler = LiveResampler(sample_rate_hz, self._playout.sample_rate_hz)
            reply = _Reply(generation, resampler)
            self._replies.append(reply)
        return reply

    def _find(self, generation: int) -> _Reply | None:
        return next((reply for reply in self._replies if reply.generation == generation), None)

    async def _write(self, samples: Float32Array, generation: int) -> bool:
        while self._is_open(generation):
            accepted = self._playout.write(samples, generation)
            if accepted == len(samples):
                return True
            samples = samples[max(0, accepted) :]
            await self._next_block()
        return False

    def _is_open(self, generation: int) -> bool:
        return not self._closed and not self._playout.is_cleared(generation)

    def _given(self, generation: int, rendered_samples: int) -> int:
        """Convert a count at the loudspeaker's rate to the rate of the generation's chunks."""
        reply = self._find(generation)
        if reply is None:
            return 0
        given_hz, rendered_hz = reply.resampler.from_hz, reply.resampler.to_hz
        return min(reply.given_samples, rendered_samples * given_hz // rendered_hz)
