"""EchoRoom: what a microphone hears of a loudspeaker, simulated.

For tests and benchmarks of echo cancellation, and for trying barge-in without a sound card.
Knows nothing about speech or sessions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sound.io import SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """An acoustic path from the loudspeaker to the microphone."""

    gain: float = 1.0
    """Level of the echo relative to what was played."""
    delay_ms: float = 45.0
    """Sound card buffers and the way through the air."""
    decay_ms: float = 60.0
    """Time in which the reverberation falls by a factor of e."""
    saturation: float = 0.0
    """Drive of the tanh curve of a small, overloaded loudspeaker; 0 is a linear one."""
    seed: int = 1


class EchoRoom:
    """Plays into a room and listens to it, both at 16 kHz."""

    def __init__(self, room: Room | None = None) -> None:
        self.room = room or Room()
        self._response = _impulse_response(self.room)
        self._tail = np.zeros(len(self._response) - 1, np.float32)
        self._echo = np.zeros(0, np.float32)
        self._spectra: dict[int, npt.NDArray[np.complexfloating]] = {}

    def push(self, played: Float32Array) -> None:
        """Play (T,) samples into the room."""
        sounding = _loudspeaker(played, self.room.saturation)
        echo = self._reverberate(sounding)
        echo[: len(self._tail)] += self._tail
        self._echo = np.concatenate([self._echo, echo[: len(played)]])
        self._tail = echo[len(played) :]

    def _reverberate(self, sounding: Float32Array) -> Float32Array:
        """Convolve with the room, tail included."""
        length = len(sounding) + len(self._response) - 1
        size = 1 << (length - 1).bit_length()
        if size not in self._spectra:
            self._spectra = {size: np.fft.rfft(self._response, size)}
        spectrum = np.fft.rfft(sounding, size) * self._spectra[size]
        return np.asarray(np.fft.irfft(spectrum, size)[:length], np.float32)

    def hear(self, samples: int) -> Float32Array:
        """Return the next (samples,) of the echo; silence where nothing was played yet."""
        heard, self._echo = self._echo[:samples], self._echo[samples:]
        return np.pad(heard, (0, samples - len(heard)))


def _loudspeaker(samples: Float32Array, saturation: float) -> Float32Array:
    if not saturation:
        return samples
    return np.asarray(np.tanh(saturation * samples) / saturation, np.float32)


def _impulse_response(room: Room) -> Float32Array:
    """The direct sound, then noise that dies away; of unit energy times the gain."""
    delay = round(room.delay_ms * SAMPLE_RATE_HZ / 1000)
    decay = room.decay_ms * SAMPLE_RATE_HZ / 1000
    times = np.arange(round(5 * decay))
    reverberation = np.random.default_rng(room.seed).standard_normal(len(times))
    response = np.zeros(delay + 1 + len(times))
    response[delay] = 1.0
    response[delay + 1 :] = 0.35 * reverberation * np.exp(-times / decay)
    return np.asarray(room.gain * response / np.linalg.norm(response), np.float32)
