"""Echo cancellation: the agent's own voice is taken out of what the microphone hears.

    microphone ─▶ EchoFilter ─▶ EchoGate ─▶ speech, or silence
    speaker ─────────┴──▶ AEC3 ────┘

The filter subtracts the echo it can predict and leaves a second voice unharmed; the gate
silences what remains unless somebody speaks; WebRTC's suppressor (AEC3), which alone would
swallow a softer voice as well, has a say in that. Fed with exactly the samples that were sent
to the loudspeaker. Never by the sound of the voice: the agent's voice is the user's own.
"""

import importlib.util
import logging
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from selftalk.stream.echo.filter import BLOCK_SAMPLES, PARTITIONS, EchoFilter
from selftalk.stream.echo.gate import EchoGate
from selftalk.stream.sound.audio import AudioChunk, Float32Array, FrameBuffer, to_int16
from selftalk.stream.sound.io import SAMPLE_RATE_HZ, AudioSource, EchoReference
from selftalk.stream.sound.ring import SampleRing

logger = logging.getLogger(__name__)

REFERENCE_SECONDS = 1
MOST_AHEAD_SAMPLES = SAMPLE_RATE_HZ // 4
"""A reference further ahead than this is no jitter: the microphone has lost time."""
KEPT_AHEAD_SAMPLES = SAMPLE_RATE_HZ // 10
INAUDIBLE = 1e-4
"""Level of the loudspeaker, -80 dBFS, below which there is no echo to fear."""
FRAME_SAMPLES = SAMPLE_RATE_HZ // 100  # what AEC3 takes
TRUSTED_GAIN = 0.25
"""Power that AEC3 leaves of a voice it believes in, relative to its input: -6 dB."""
GAIN_SMOOTHING = 0.7


class EchoCanceller:
    """Two layers on one reference; blocks of 20 ms at 16 kHz."""

    def __init__(self, suppressor: bool = True) -> None:
        """Without the suppressor, or without its package, the filter and the gate work alone."""
        self._reference = SampleRing(SAMPLE_RATE_HZ * REFERENCE_SECONDS)
        self._captured = FrameBuffer(BLOCK_SAMPLES)
        self._suppressor = Aec3() if suppressor and _has_webrtc() else None
        self._filter = EchoFilter()
        self._gate = EchoGate()
        self._silent_blocks = PARTITIONS
        self._gain = 1.0

    @property
    def playing(self) -> bool:
        """Whether an echo may be in the air."""
        return self._silent_blocks < PARTITIONS

    def push_playback(self, samples: Float32Array) -> None:
        """Add (T,) samples at 16 kHz that were sent to the loudspeaker."""
        self._reference.write(samples)

    def push_capture(self, samples: Float32Array) -> Float32Array:
        """Add (T,) samples at 16 kHz of the microphone; return all whole blocks, echo-free.

        The reference may arrive a little unevenly. Samples that are missing are taken for
        silence, which moves the echo later by as much, once.
        """
        blocks = [self._clean(block) for block in self._captured.push(samples)]
        self._drop_excess()
        return np.concatenate([np.zeros(0, np.float32), *blocks])

    def _clean(self, heard: Float32Array) -> Float32Array:
        played = np.zeros(BLOCK_SAMPLES, np.float32)
        self._reference.read_into(played)
        audible = np.abs(played).max() > INAUDIBLE
        self._silent_blocks = 0 if audible else self._silent_blocks + 1
        block = self._filter.push(played, heard)
        trusted = self._suppressor is None or self._suppressor.trusts(block.residual, played)
        somebody = self._gate.push(block, trusted)
        return self._ramped(block.residual, 1.0 if somebody or not self.playing else 0.0)

    def _ramped(self, samples: Float32Array, gain: float) -> Float32Array:
        """Open and close within a block instead of with a click."""
        ramp = np.linspace(self._gain, gain, len(samples), dtype=np.float32)
        self._gain = gain
        return samples * ramp

    def _drop_excess(self) -> None:
        if self._reference.waiting_samples > MOST_AHEAD_SAMPLES:
            self._reference.skip_to(self._reference.written_samples - KEPT_AHEAD_SAMPLES)


class Aec3:
    """WebRTC's echo canceller, asked how much of a sound it would let pass."""

    def __init__(self) -> None:
        import pywebrtc_audio

        self._canceller: Any = pywebrtc_audio.EchoCanceller(SAMPLE_RATE_HZ, 1, 0)
        self._power_in = self._power_out = 0.0

    def trusts(self, residual: Float32Array, played: Float32Array) -> bool:
        """Whether it takes the residual, (320,), of late for a voice and not for echo."""
        suppressed = self.push(residual, played)
        self._power_in = GAIN_SMOOTHING * self._power_in + float(np.sum(np.square(residual)))
        self._power_out = GAIN_SMOOTHING * self._power_out + float(np.sum(np.square(suppressed)))
        return self._power_out > TRUSTED_GAIN * self._power_in

    def push(self, heard: Float32Array, played: Float32Array) -> Float32Array:
        """Suppress the echo of what was played in what was heard; whole frames of 10 ms."""
        near, far = to_int16(heard), to_int16(played)
        frames = [
            self._canceller.process(
                near[start : start + FRAME_SAMPLES], far[start : start + FRAME_SAMPLES]
            )
            for start in range(0, len(near), FRAME_SAMPLES)
        ]
        return np.asarray(np.concatenate(frames).astype(np.float32) / 32768, np.float32)


class EchoCancelledSource:
    """An AudioSource without the echo of a speaker."""

    def __init__(
        self,
        source: AudioSource,
        reference: EchoReference,
        canceller: EchoCanceller | None = None,
    ) -> None:
        self._source = source
        self._speaker = reference
        self._canceller = canceller or EchoCanceller()

    @property
    def ended(self) -> bool:
        """Whether only silence follows."""
        return self._source.ended

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield the chunks of the source, the echo taken out."""
        async for chunk in self._source.chunks():
            self._canceller.push_playback(self._speaker.take_reference())
            clean = self._canceller.push_capture(chunk.samples)
            yield AudioChunk(clean, SAMPLE_RATE_HZ)

    def close(self) -> None:
        """End the stream."""
        self._source.close()


_told_missing = False


def _has_webrtc() -> bool:
    global _told_missing
    if importlib.util.find_spec("pywebrtc_audio") is not None:
        return True
    if not _told_missing:
        logger.warning("echo cancellation works without AEC3: pip install 'selftalk[audio]'")
        _told_missing = True
    return False
