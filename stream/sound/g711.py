"""G.711, the sound of telephones: µ-law and A-law bytes ⇄ float32 samples, by tables.

ITU-T G.711. Knows nothing about sample rates; telephones use 8 kHz.
"""

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array, to_int16

MU_BIAS = 0x84
MU_CLIP_14_BIT = 8158
Bytes = npt.NDArray[np.uint8]


def decode_mu_law(encoded: bytes) -> Float32Array:
    """Bytes → (T,) samples."""
    return _MU_LINEAR[np.frombuffer(encoded, np.uint8)]


def decode_a_law(encoded: bytes) -> Float32Array:
    """Bytes → (T,) samples."""
    return _A_LINEAR[np.frombuffer(encoded, np.uint8)]


def encode_mu_law(samples: Float32Array) -> bytes:
    """(T,) samples → bytes."""
    return _MU_BYTES[to_int16(samples).view(np.uint16)].tobytes()


def encode_a_law(samples: Float32Array) -> bytes:
    """(T,) samples → bytes."""
    return _A_BYTES[to_int16(samples).view(np.uint16)].tobytes()


def _mu_linear() -> Float32Array:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4).astype(np.int32) & 7, code.astype(np.int32) & 15
    magnitude = (((mantissa << 3) + MU_BIAS) << exponent) - MU_BIAS
    return _scaled(np.where(code & 0x80, -magnitude, magnitude))


def _a_linear() -> Float32Array:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4).astype(np.int32) & 7, code.astype(np.int32) & 15
    step = np.where(exponent == 0, (mantissa << 4) + 8, (mantissa << 4) + 0x108)
    magnitude = step << np.maximum(exponent - 1, 0)
    return _scaled(np.where(code & 0x80, magnitude, -magnitude))


def _scaled(linear: npt.NDArray[np.int32]) -> Float32Array:
    return (linear / 32_768).astype(np.float32)


def _every_sample() -> npt.NDArray[np.int32]:
    """All 16 bit samples, at the place of their two's complement."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32)


def _mu_bytes() -> Bytes:
    linear = _every_sample() >> 2  # 14 bit
    magnitude = np.minimum(np.abs(linear), MU_CLIP_14_BIT) + (MU_BIAS >> 2)
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (exponent + 1)) & 15
    sign = np.where(linear < 0, 0x80, 0)
    return np.asarray(~(sign | (exponent << 4) | mantissa) & 0xFF, np.uint8)


def _a_bytes() -> Bytes:
    linear = _every_sample() >> 3  # 13 bit
    magnitude = np.where(linear < 0, -linear - 1, linear)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = (magnitude >> np.maximum(exponent, 1)) & 15
    sign = np.where(linear < 0, 0, 0x80)
    return np.asarray((sign | (exponent << 4) | mantissa) ^ 0x55, np.uint8)


_MU_LINEAR, _A_LINEAR = _mu_linear(), _a_linear()
_MU_BYTES, _A_BYTES = _mu_bytes(), _a_bytes()
