"""EchoFilter: a linear model of the way from the loudspeaker to the microphone.

A Kalman filter in the frequency domain, one block of 20 ms at a time, its long impulse response
cut into partitions of one block (Enzner & Vary 2006; Kuech et al. 2014). It subtracts what it
can predict and nothing else, so that a voice speaking over the echo passes unharmed; what is
left of the echo is judged in `echo_gate.py`.

What is left resembles what was subtracted only when the path has changed: somebody moved, or
turned the volume. Then the filter doubts what it knows, and learns fast again.
Knows nothing about speech, delays, or devices.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array

BLOCK_SAMPLES = 320
PARTITIONS = 25
"""Half a second: the buffers of the sound card, the way through the air, and the room."""
FORGETTING = 0.9999
"""How much of the room is still the same after a block."""
NEAR_SMOOTHING = 0.8
FIRST_UNCERTAINTY = 3.0
DECAY_SAMPLES = 1600
"""Early reflections are expected to be stronger than those 100 ms later, by a factor of e."""

# Measured: speech over a known path resembles its echo by less than 0.2, the residual of a
# volume turned by 6 dB by 0.7, that of another room by 0.35.
CHANGED_SIMILARITY = 0.25
CHANGED_RESIDUAL = 0.06
"""Residual power relative to the echo above which a resemblance matters: -12 dB."""
CHANGED_BLOCKS = 3
SETTLING_BLOCKS = 25
"""After a change the filter is left alone for half a second."""
LEARNING_BLOCKS = 100
"""Of audible echo that pass before a change can be told from what was never known."""
SPEECH_BINS = slice(4, 300)  # 100 to 7500 Hz
AUDIBLE_POWER = 1e-2
TINY = 1e-6
COMPARISON_SMOOTHING = 0.85

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
    similarity: float
    """How much of the residual of late resembles the subtracted echo, 0 to 1."""
    residual_ratio: float
    """Power of the residual of late relative to that of the echo."""
    path_changed: bool
    """Whether the filter has just begun to learn anew."""


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
        self._expected_decay = np.exp(-ages / DECAY_SAMPLES)  # (P, 1)
        self._uncertainty = FIRST_UNCERTAINTY * self._expected_decay.repeat(bins, 1)
        self._near_power = np.zeros(bins, np.float32)
        self._common = np.zeros(bins, np.complex64)
        self._residual_power = np.full(bins, TINY, np.float32)
        self._echo_power = np.full(bins, TINY, np.float32)
        self._suspicious_blocks = 0
        self._settled_in = LEARNING_BLOCKS

    def push(self, played: Float32Array, heard: Float32Array) -> FilteredBlock:
        """Subtract the echo of what was played, (320,), from what was heard, (320,)."""
        self._played[1:] = self._played[:-1]
        self._played[0] = np.fft.rfft(np.concatenate([self._last, played]))
        self._last = played
        predicted = np.fft.irfft(np.sum(self._played * self._path, axis=0))[BLOCK_SAMPLES:]
        echo = predicted.astype(np.float32)
        residual = heard - echo
        error, subtracted = _spectrum(residual), _spectrum(echo)
        error_power, echo_power = _power(error), _power(subtracted)
        uncertain_power = self._learn(error, error_power)
        self._compare(error * np.conj(subtracted), error_power, echo_power)
        similarity, ratio = self._similarity(), self._residual_ratio()
        return FilteredBlock(
            residual,
            error_power,
            echo_power,
            uncertain_power,
            similarity,
            ratio,
            self._doubt_if_changed(similarity, ratio),
        )

    def _learn(self, error: Spectrum, error_power: Float32Array) -> Float32Array:
        """Move the path towards what explains the error; return the power left to doubt."""
        played_power = _power(self._played)  # (P, F)
        doubt = np.sum(played_power * self._uncertainty, axis=0)
        # Whatever is not doubt is somebody speaking: the louder, the less may be learned.
        smoothing = np.float32(NEAR_SMOOTHING)
        self._near_power = smoothing * self._near_power + (1 - smoothing) * error_power
        gain = self._uncertainty / (doubt + 2 * self._near_power + TINY)
        step = np.fft.irfft(gain * np.conj(self._played) * error, axis=1)
        step[:, BLOCK_SAMPLES:] = 0  # keeps the convolution linear, not circular
        self._path += np.fft.rfft(step, axis=1).astype(np.complex64)
        self._path *= np.float32(FORGETTING)
        kept = np.float32(FORGETTING**2)
        self._uncertainty *= kept * (1 - 0.5 * gain * played_power)
        self._uncertainty += (1 - kept) * _power(self._path)
        return np.asarray(0.5 * doubt, np.float32)

    def _compare(self, common: Spectrum, residual: Float32Array, echo: Float32Array) -> None:
        """Average over some 130 ms what the residual has in common with the echo."""
        old, new = np.float32(COMPARISON_SMOOTHING), np.float32(1 - COMPARISON_SMOOTHING)
        self._common = old * self._common + new * common
        self._residual_power = old * self._residual_power + new * (residual + TINY)
        self._echo_power = old * self._echo_power + new * (echo + TINY)

    def _similarity(self) -> float:
        """Their coherence, weighted by the power of the residual."""
        shared = _power(self._common[SPEECH_BINS]) / self._echo_power[SPEECH_BINS]
        return float(np.sum(shared) / np.sum(self._residual_power[SPEECH_BINS]))

    def _residual_ratio(self) -> float:
        residual, echo = self._residual_power[SPEECH_BINS], self._echo_power[SPEECH_BINS]
        return float(np.sum(residual) / np.sum(echo))

    def _doubt_if_changed(self, similarity: float, residual_ratio: float) -> bool:
        """Learn anew if the residual has looked like the echo for too long."""
        audible = np.sum(self._echo_power[SPEECH_BINS]) > AUDIBLE_POWER
        suspicious = similarity > CHANGED_SIMILARITY and residual_ratio > CHANGED_RESIDUAL
        self._suspicious_blocks = self._suspicious_blocks + 1 if suspicious and audible else 0
        self._settled_in = max(0, self._settled_in - bool(audible))
        if self._suspicious_blocks < CHANGED_BLOCKS or self._settled_in:
            return False
        self._settled_in = SETTLING_BLOCKS
        strength = _power(self._path).mean(axis=1, keepdims=True)  # (P, 1)
        elsewhere = 0.3 * strength.sum() * self._expected_decay
        self._uncertainty = np.maximum(self._uncertainty, np.maximum(2 * strength, elsewhere))
        return True


def _spectrum(block: Float32Array) -> Spectrum:
    """The spectrum of a block behind as much silence: (320,) -> (321,)."""
    padded = np.concatenate([np.zeros(BLOCK_SAMPLES, np.float32), block])
    return np.asarray(np.fft.rfft(padded), np.complex64)


def _power(spectrum: Spectrum) -> Float32Array:
    return np.asarray(np.square(spectrum.real) + np.square(spectrum.imag), np.float32)
