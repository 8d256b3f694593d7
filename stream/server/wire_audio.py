"""Audio on the wire ⇄ audio of the stages: formats and sample rates.

Knows nothing about messages; whoever appends may cut the bytes anywhere.
"""

import numpy as np

from selftalk.stream.audio import Float32Array, to_int16
from selftalk.stream.g711 import decode_a_law, decode_mu_law, encode_a_law, encode_mu_law
from selftalk.stream.io import SAMPLE_RATE_HZ
from selftalk.stream.protocol.settings import AudioFormat, MuLaw, Pcm
from selftalk.stream.resample import LiveResampler

TELEPHONE_HZ = 8000


def rate_of(audio_format: AudioFormat) -> int:
    """Samples per second of a format."""
    return audio_format.rate if isinstance(audio_format, Pcm) else TELEPHONE_HZ


class WireDecoder:
    """Bytes of a client → samples at 16 kHz."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._resampler = LiveResampler(rate_of(audio_format), SAMPLE_RATE_HZ)
        self._rest = b""

    def push(self, encoded: bytes) -> Float32Array:
        """Add bytes; return the (T,) samples that are certain by now."""
        return self._resampler.push(self._decoded(encoded))

    def flush(self) -> Float32Array:
        """Return the rest, as if silence followed, and start afresh."""
        self._rest = b""
        return self._resampler.flush()

    def reset(self) -> None:
        """Forget everything pushed."""
        self._rest = b""
        self._resampler.reset()

    def _decoded(self, encoded: bytes) -> Float32Array:
        if isinstance(self._format, Pcm):
            whole = self._rest + encoded if self._rest else encoded
            self._rest = whole[len(whole) & ~1 :]
            # By a power of two nothing can leave [-1, 1], and nothing needs to be clipped.
            linear = np.frombuffer(whole[: len(whole) & ~1], "<i2").astype(np.float32)
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
