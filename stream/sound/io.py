"""Where sound enters and leaves: the protocols AudioSource and AudioSink.

Microphones, speakers, files and network connections all look like this to a session.
Knows nothing about any of them, nor about speech.

Time is counted in samples of the source: every chunk it yields is 20 ms, and nothing else
makes time pass. A sink names its samples by a generation number, one per reply: when the
user barges in, the generation is cleared, and whatever of it is still on its way is dropped
at the last hop.
"""

from collections.abc import AsyncIterator, Callable
from typing import Protocol, runtime_checkable

from selftalk.stream.sound.audio import AudioChunk, Float32Array

SAMPLE_RATE_HZ = 16_000
CHUNK_MS = 20
CHUNK_SAMPLES = SAMPLE_RATE_HZ * CHUNK_MS // 1000


class AudioSource(Protocol):
    """The user's voice as a stream of 16 kHz mono chunks of 20 ms."""

    @property
    def ended(self) -> bool:
        """Whether no more real input will come (a file is over); only silence follows."""
        ...

    def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield chunks of `CHUNK_SAMPLES` samples at `SAMPLE_RATE_HZ` until closed.

        Raises:
            DeviceError: the device went away and did not come back.
        """
        ...

    def close(self) -> None:
        """End the stream; an iteration under way ends after its current chunk. Idempotent."""
        ...


@runtime_checkable
class ImmediateSource(Protocol):
    """A source whose chunks are heard the moment they come, without a task in between."""

    async def hand_over(self, hear: Callable[[AudioChunk], None]) -> None:
        """Call `hear` with every chunk until closed, as `AudioSource.chunks` would give them.

        Raises:
            Exception: whatever `hear` raises.
        """
        ...


class AudioSink(Protocol):
    """Plays the replies, one generation number each, and knows what was really heard.

    All counts are in samples of the rate at which the generation's chunks were given, whatever
    rate the device runs at. All chunks of one generation have the same rate.
    """

    async def play(self, chunk: AudioChunk, generation: int) -> bool:
        """Queue a chunk, waiting while too much is queued already (about two seconds).

        Returns:
            False if the generation was cleared before or meanwhile: the chunk is dropped.
        """
        ...

    async def finish(self, generation: int) -> bool:
        """Say that this generation has no more chunks, and wait until its last sample is heard.

        Returns:
            False if the generation was cleared before or meanwhile.
        """
        ...

    def clear(self, generation: int) -> int:
        """Silence this generation and all older ones at once, after a fade-out without a click.

        Later chunks of these generations are refused. Never waits.

        Returns:
            How many samples of `generation` were heard, those that fade included.
        """
        ...

    def played_samples(self, generation: int) -> int:
        """How many samples of this generation have left the loudspeaker so far."""
        ...

    def queued_samples(self, generation: int) -> int:
        """How many samples of this generation are accepted and not yet heard."""
        ...

    def set_gain(self, gain: float) -> None:
        """Play on with this linear gain, ramped: lowers the voice while the user may speak."""
        ...

    def close(self) -> None:
        """Stop at once and give the device or file back. Idempotent."""
        ...


@runtime_checkable
class ImmediateSink(Protocol):
    """A sink that never is full: what it is given takes no task of its own."""

    def play_now(self, chunk: AudioChunk, generation: int) -> bool:
        """What `AudioSink.play` does, at once."""
        ...


class EchoReference(Protocol):
    """A sink that shows what it really sent to the loudspeaker, for echo cancellation."""

    def take_reference(self) -> Float32Array:
        """Return the (T,) samples at 16 kHz sent since the last call, silence included."""
        ...
