"""EchoFilter: a linear model of the way from the loudspeaker to the microphone.

A Kalman filter in the frequency domain, one block of 20 ms at a time, its long impulse response
cut into partitions of one block (Enzner & Vary 2006; Kuech et al. 2014). It subtracts what it
can predict and nothing else, so that a voice speaking over the echo passes unharmed; what is
left of the echo is judged elsewhere. Knows nothing about speech, delays, or devices.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.audio import Float32Array

BLOCK_SAMPLES = 320
PARTITIONS = 25
"""Half a second: the buffers of the sound card, the way through the air, and the room."""
FORGETTING = 0.9999
"""How much of the room is still the same after a block."""
NEAR_SMOOTHING = 0.8
FIRST_UNCERTAINTY = 3.0
DECAY_SAMPLES = 1600
"""Early reflections are expected to be stronger than those 100 ms later, by a factor of e."""

Spectrum = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class FilteredBlock:
    """One block, and what is known about it."""

    residual: Float32Array
    """(320,) the microphone without the predictable echo."""
    residual_power: Float32Array
    """(321,) power spectrum of that."""
    echo_power: Float32Array
    """(321,) power spectrum of the echo that was subtracted."""
    uncertain_power: Float32Array
    """(321,) power of the echo that the filter itself expects to have missed."""


class EchoFilter:
    """Learns the echo path while it subtracts the echo."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the room."""
        bins = BLOCK_SAMPLES + 1
        ages = np.arange(PARTITIONS, dtype=np.float32)[:, None] * BLOCK_SAMPLES
        self._last = np.zeros(BLOCK_SAMPLES, np.float32)
        self._played = np.zeros((PARTITIONS, bins), np.complex64)  # newest first
        self._path = np.zeros((PARTITIONS, bins), np.complex64)
        self._uncertainty = FIRST_UNCERTAINTY * np.exp(-ages / DECAY_SAMPLES).repeat(bins, 1)
        self._near_power = np.zeros(bins, np.float32)

    def push(self, played: Float32Array, heard: Float32Array) -> FilteredBlock:
        """Subtract the echo of what was played, (320,), from what was heard, (320,)."""
        self._played[1:] = self._played[:-1]
        self._played[0] = np.fft.rfft(np.concatenate([self._last, played]))
        self._last = played
        predicted = np.fft.irfft(np.sum(self._played * self._path, axis=0))[BLOCK_SAMPLES:]
        echo = predicted.astype(np.float32)
        residual = heard - echo
        error = _spectrum(residual)
        error_power = _power(error)
        uncertain_power = self._learn(error, error_power)
        return FilteredBlock(residual, error_power, _power(_spectrum(echo)), uncertain_power)

    def _learn(self, error: Spectrum, error_power: Float32Array) -> Float32Array:
        """Move the path towards what explains the error; return the power left to doubt."""
        played_power = _power(self._played)  # (P, F)
        doubt = np.sum(played_power * self._uncertainty, axis=0)
        # Whatever is not doubt is somebody speaking: the louder, the less may be learned.
        smoothing = np.float32(NEAR_SMOOTHING)
        self._near_power = smoothing * self._near_power + (1 - smoothing) * error_power
        gain = self._uncertainty / (doubt + 2 * self._near_power + 1e-6)
        step = np.fft.irfft(gain * np.conj(self._played) * error, axis=1)
        step[:, BLOCK_SAMPLES:] = 0  # keeps the convolution linear, not circular
        self._path += np.fft.rfft(step, axis=1).astype(np.complex64)
        self._path *= np.float32(FORGETTING)
        kept = np.float32(FORGETTING**2)
        self._uncertainty *= kept * (1 - 0.5 * gain * played_power)
        self._uncertainty += (1 - kept) * _power(self._path)
        return np.asarray(0.5 * doubt, np.float32)


def _spectrum(block: Float32Array) -> Spectrum:
    """The spectrum of a block behind as much silence: (320,) -> (321,)."""
    padded = np.concatenate([np.zeros(BLOCK_SAMPLES, np.float32), block])
    return np.asarray(np.fft.rfft(padded), np.complex64)


def _power(spectrum: Spectrum) -> Float32Array:
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), np.float32)
