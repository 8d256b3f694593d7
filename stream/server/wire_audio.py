"""Audio on the wire ⇄ audio of the stages: formats and sample rates.

Knows nothing about messages; whoever appends may cut the bytes anywhere.
"""

import numpy as np

from selftalk.stream.protocol.settings import AudioFormat, MuLaw, Pcm
from selftalk.stream.sound.audio import Float32Array, to_int16
from selftalk.stream.sound.g711 import decode_a_law, decode_mu_law, encode_a_law, encode_mu_law
from selftalk.stream.sound.io import SAMPLE_RATE_HZ
from selftalk.stream.sound.resample import LiveResampler

TELEPHONE_HZ = 8000


def rate_of(audio_format: AudioFormat) -> int:
    """Samples per second of a format."""
    return audio_format.rate if isinstance(audio_format, Pcm) else TELEPHONE_HZ


class WireDecoder:
    """Bytes of a client → samples at 16 kHz.

    Nobody looks at less than a frame of the voice activity detector, so bytes wait until they
    complete one: a conversion per frame is cheaper than one per message, and none comes later.
    """

    def __init__(self, audio_format: AudioFormat, frame_samples: int = 1) -> None:
        """Take a format, and how many samples at 16 kHz are worth a conversion."""
        self._format = audio_format
        self._frame_samples = frame_samples
        self._resampler = LiveResampler(rate_of(audio_format), SAMPLE_RATE_HZ)
        self._sample_bytes = 2 if isinstance(audio_format, Pcm) else 1
        self.reset()

    def seconds(self, encoded: bytes) -> float:
        """How long some bytes last."""
        return len(encoded) / (self._sample_bytes * rate_of(self._format))

    def push(self, encoded: bytes) -> Float32Array:
        """Add bytes; return the (T,) samples of the frames that are certain by now."""
        self._waiting += encoded
        if len(self._waiting) < self._awaited_bytes:
            return np.zeros(0, np.float32)
        return self.drain()

    def drain(self) -> Float32Array:
        """Return the (T,) samples that are certain by now, whole frames or not."""
        whole = len(self._waiting) // self._sample_bytes * self._sample_bytes
        encoded = bytes(self._waiting[:whole])
        del self._waiting[:whole]
        samples = self._resampler.push(self._decoded(encoded))
        self._received += whole // self._sample_bytes
        self._converted += len(samples)
        self._awaited_bytes = self._bytes_to_next_frame()
        return samples

    def flush(self) -> Float32Array:
        """Return the rest, as if silence followed, and start afresh."""
        rest = np.concatenate([self.drain(), self._resampler.flush()])
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget everything pushed."""
        self._resampler.reset()
        self._waiting = bytearray()
        self._received = self._converted = 0
        self._awaited_bytes = self._bytes_to_next_frame()

    def _bytes_to_next_frame(self) -> int:
        frame_end = (self._converted // self._frame_samples + 1) * self._frame_samples
        last_input = -(-(frame_end - 1) * self._resampler.from_hz // SAMPLE_RATE_HZ)
        delay = self._resampler.delay_samples if self._resampler.from_hz != SAMPLE_RATE_HZ else 0
        return max(1, last_input + delay + 1 - self._received) * self._sample_bytes

    def _decoded(self, encoded: bytes) -> Float32Array:
        if isinstance(self._format, Pcm):
            # By a power of two nothing can leave [-1, 1], and nothing needs to be clipped.
            linear = np.frombuffer(encoded, "<i2").astype(np.float32)
            return linear * np.float32(1 / 32_768)
        decode = decode_mu_law if isinstance(self._format, MuLaw) else decode_a_law
        return decode(encoded)


class WireEncoder:
    """Samples of a synthesizer → bytes for a client."""

    def __init__(self, audio_format: AudioFormat, from_hz: int) -> None:
        self._format = audio_format
        self._resampler = LiveResampler(from_hz, rate_of(audio_format))

    def push(self, samples: Float32Array) -> bytes:
        """Add (T,) samples; return the bytes that are certain by now."""
        return self._encoded(self._resampler.push(samples))

    def flush(self) -> bytes:
        """Return the rest, and start afresh."""
        return self._encoded(self._resampler.flush())

    def _encoded(self, samples: Float32Array) -> bytes:
        if isinstance(self._format, Pcm):
            return to_int16(samples).astype("<i2", copy=False).tobytes()
        encode = encode_mu_law if isinstance(self._format, MuLaw) else encode_a_law
        return encode(samples)
