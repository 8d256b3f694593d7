"""InputBuffer: the audio that a client appends, on its way to who listens, or kept to be committed.

Knows nothing about the protocol's events, nor about turns.
"""

import asyncio

import numpy as np

from selftalk.stream.protocol.codec import ProtocolError
from selftalk.stream.protocol.settings import AudioFormat
from selftalk.stream.server.network import NetworkSource
from selftalk.stream.server.pace import Pace
from selftalk.stream.server.wire_audio import WireDecoder
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.io import SAMPLE_RATE_HZ

LONGEST_UTTERANCE_SECONDS = 120


class InputBuffer:
    """Decodes what is appended, and no faster than is allowed."""

    def __init__(self, audio_format: AudioFormat, frame_samples: int, burst_seconds: float) -> None:
        """Make an empty one.

        Args:
            audio_format: in which the client sends.
            frame_samples: how many samples at 16 kHz are worth a look.
            burst_seconds: how much may come at once; see `Pace`.
        """
        self.source = NetworkSource(frame_samples)
        """What is listened to."""
        self.appended_samples = 0
        """At 16 kHz, since the conversation began."""
        self._frame_samples = frame_samples
        self._pace = Pace(burst_seconds)
        self._pause_seconds = 0.0
        self._kept: list[Float32Array] = []
        self._kept_samples = 0
        self.use(audio_format)

    @property
    def appended_ms(self) -> int:
        """How much was appended since the conversation began."""
        return self.appended_samples * 1000 // SAMPLE_RATE_HZ

    def use(self, audio_format: AudioFormat) -> None:
        """Take another format from now on."""
        self._decoder = WireDecoder(audio_format, self._frame_samples)

    @property
    def full(self) -> bool:
        """Whether audio came too fast, or too much of it was not listened to yet."""
        return self._pause_seconds > 0 or self.source.full

    async def room(self) -> None:
        """Wait until more may come."""
        pause_seconds, self._pause_seconds = self._pause_seconds, 0.0
        if pause_seconds > 0:
            await asyncio.sleep(pause_seconds)
        if self.source.full:
            await self.source.drained()

    def append(self, encoded: bytes, *, keep: bool) -> None:
        """Take audio; never waits.

        Args:
            encoded: in the format in use.
            keep: until it is taken, instead of letting anybody listen.

        Raises:
            ProtocolError: too much is kept already.
        """
        self._pause_seconds = self._pace.take(self._decoder.seconds(encoded))
        samples = self._decoder.push(encoded)
        if not len(samples):
            return
        self.appended_samples += len(samples)
        if keep:
            self._keep(samples)
        else:
            self.source.push(samples)

    def _keep(self, samples: Float32Array) -> None:
        if self._kept_samples + len(samples) > LONGEST_UTTERANCE_SECONDS * SAMPLE_RATE_HZ:
            raise ProtocolError(
                f"more than {LONGEST_UTTERANCE_SECONDS} s wait to be committed",
                "input_audio_buffer_full",
            )
        self._kept.append(samples)
        self._kept_samples += len(samples)

    def take(self) -> AudioChunk:
        """All that is kept, which is kept no longer."""
        joined = np.concatenate([*self._kept, self._drained()])
        self._forget()
        return AudioChunk(joined, SAMPLE_RATE_HZ)

    def discard(self) -> None:
        """Forget what is kept, and what nobody has listened to yet."""
        self._forget()
        self._drained()
        self.source.discard()

    def reset(self) -> None:
        """Forget that too of which samples could still be made."""
        self._decoder.reset()

    def _drained(self) -> Float32Array:
        rest = self._decoder.drain()
        self.appended_samples += len(rest)
        return rest

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_samples = 0
