"""The user's microphone and loudspeaker at the other end of a connection.

A client plays what it was sent; how far it is, nobody tells. `NetworkSink` counts as a clock
would: from the first sample on, without pause as long as there is audio. A client that cuts the
reply tells exactly what it played, and that replaces the count (`cut_at`).
"""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from selftalk.stream.sound.audio import AudioChunk, Float32Array, FrameBuffer
from selftalk.stream.sound.io import CHUNK_SAMPLES, SAMPLE_RATE_HZ

QUEUED_SECONDS = 1.0  # a client that sends faster waits
CHUNKS_AT_ONCE = 4  # more than these in one message are listened to by and by
REMEMBERED_REPLIES = 16


class NetworkSource:
    """An AudioSource that is fed from a connection."""

    def __init__(self, chunk_samples: int = CHUNK_SAMPLES) -> None:
        """Take how many samples are worth a look: a frame of the voice activity detector."""
        self._frames = FrameBuffer(chunk_samples)
        self._most = math.ceil(QUEUED_SECONDS * SAMPLE_RATE_HZ / chunk_samples)
        self._chunks: deque[AudioChunk] = deque()
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()
        self._closed = False
        self._hear: Callable[[AudioChunk], None] | None = None
        self._failure: Exception | None = None

    @property
    def ended(self) -> bool:
        """Never: a silent client may speak again."""
        return False

    @property
    def queued_seconds(self) -> float:
        """How much audio waits to be listened to."""
        return len(self._chunks) * self._frames.frame_samples / SAMPLE_RATE_HZ

    @property
    def full(self) -> bool:
        """Whether so much waits that the client should too."""
        return len(self._chunks) >= self._most

    async def drained(self) -> None:
        """Wait until all was listened to."""
        self._drained.clear()
        if self._chunks:
            await self._drained.wait()

    def push(self, samples: Float32Array) -> None:
        """Add 16 kHz audio; never waits, so look whether it is `full`."""
        chunks = [AudioChunk(frame, SAMPLE_RATE_HZ) for frame in self._frames.push(samples)]
        if self._hear is not None and not self._chunks and len(chunks) <= CHUNKS_AT_ONCE:
            self._hear_now(chunks, self._hear)
        elif chunks:
            self._chunks.extend(chunks)
            self._arrived.set()

    def _hear_now(self, chunks: list[AudioChunk], hear: Callable[[AudioChunk], None]) -> None:
        try:
            for chunk in chunks:
                hear(chunk)
        except Exception as error:  # it is the listener's, not the client's who sent this
            self._failure = error
            self.close()

    def discard(self) -> None:
        """Forget what was not listened to yet."""
        self._frames.reset()
        self._chunks.clear()
        self._drained.set()

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield chunks until closed."""
        yielded = 0
        while not self._closed:
            if not self._chunks:
                yielded = 0
                self._drained.set()
                self._arrived.clear()
                await self._arrived.wait()
            elif yielded == self._most:  # minutes may come at once: let others have their turn
                yielded = 0
                await asyncio.sleep(0)
            else:
                yielded += 1
                yield self._chunks.popleft()

    async def hand_over(self, hear: Callable[[AudioChunk], None]) -> None:
        """Call `hear` with every chunk, at once if none waits before it; until closed."""
        self._hear = hear
        try:
            async for chunk in self.chunks():
                hear(chunk)
        finally:
            self._hear = None
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        self._drained.set()
        self._arrived.set()


@dataclass(slots=True)
class _Playing:
    """One reply on the client's loudspeaker."""

    rate_hz: int
    started_at: float
    given_samples: int = 0
    cut_samples: int | None = None

    def played(self, now: float) -> int:
        if self.cut_samples is not None:
            return self.cut_samples
        return max(0, min(self.given_samples, int((now - self.started_at) * self.rate_hz)))

    @property
    def ends_at(self) -> float:
        return self.started_at + self.given_samples / self.rate_hz


class NetworkSink:
    """An AudioSink that only counts; the audio itself is sent by whoever narrates the session."""

    def __init__(
        self,
        seconds: Callable[[], float],
        *,
        complete: Callable[[int], None],
        underrun: Callable[[], None],
    ) -> None:
        """Take a clock.

        Args:
            seconds: the clock.
            complete: told a generation when all of its audio was given.
            underrun: told when a client ran out of audio in the middle of a reply.
        """
        self._seconds = seconds
        self._complete = complete
        self._underrun = underrun
        self._replies: OrderedDict[int, _Playing] = OrderedDict()
        self._cleared = 0
        self._changed = asyncio.Event()

    async def play(self, chunk: AudioChunk, generation: int) -> bool:
        """Count a chunk; False if the generation was cleared before."""
        return self.play_now(chunk, generation)

    def play_now(self, chunk: AudioChunk, generation: int) -> bool:
        """The same, without waiting."""
        if generation <= self._cleared:
            return False
        now = self._seconds()
        playing = self._replies.get(generation)
        if playing is None:
            playing = self._begin(generation, chunk.sample_rate_hz, now)
        elif playing.ends_at < now:
            playing.started_at += now - playing.ends_at
            self._underrun()
        playing.given_samples += len(chunk)
        return True

    def _begin(self, generation: int, rate_hz: int, now: float) -> _Playing:
        """A new reply is heard when the one before it is over."""
        last = next(reversed(self._replies.values()), None)
        start = now if last is None or last.cut_samples is not None else max(now, last.ends_at)
        playing = self._replies[generation] = _Playing(rate_hz, start)
        if len(self._replies) > REMEMBERED_REPLIES:
            self._replies.popitem(last=False)
        return playing

    async def finish(self, generation: int) -> bool:
        """Say that a generation is complete; wait until its last sample should be heard."""
        if generation <= self._cleared:
            return False
        self._complete(generation)
        playing = self._replies.get(generation)
        while playing is not None and generation > self._cleared and playing.cut_samples is None:
            left = playing.ends_at - self._seconds()
            if left <= 0:
                break
            await self._wait(left)
        return generation > self._cleared

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    def clear(self, generation: int) -> int:
        """Count no further; return how many samples should have been heard."""
        playing = self._replies.get(generation)
        played = playing.played(self._seconds()) if playing else 0
        self._cleared = max(self._cleared, generation)
        if playing is not None:
            self.cut_at(generation, played)
        return played

    def cut_at(self, generation: int, samples: int) -> None:
        """The client tells what it really played of a reply that it cut."""
        playing = self._replies.get(generation)
        if playing is not None:
            playing.cut_samples = min(samples, playing.given_samples)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def played_samples(self, generation: int) -> int:
        """How many samples of a reply should have been heard by now."""
        playing = self._replies.get(generation)
        return playing.played(self._seconds()) if playing else 0

    def queued_samples(self, generation: int) -> int:
        """How many samples of a reply were given and are still to be heard."""
        playing = self._replies.get(generation)
        return playing.given_samples - playing.played(self._seconds()) if playing else 0

    def set_gain(self, gain: float) -> None:
        """What was sent cannot be made lower; the client stops its own loudspeaker."""

    def close(self) -> None:
        """Nothing is held."""
