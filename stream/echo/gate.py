"""EchoGate: is there anybody in what the echo filter left, or only the rest of the echo?

Predicts the power of the remaining echo band by band: what leaks through in proportion to the
echo, which it learns, and what the filter itself doubts. Sound clearly above that is somebody.
Knows nothing about speech: what passes is judged by the voice activity detector.
"""

import numpy as np
import numpy.typing as npt

from selftalk.stream.echo.filter import FilteredBlock
from selftalk.stream.sound.audio import Float32Array

Decibels = npt.NDArray[np.float64]

# 17 bands, narrow below 700 Hz and wider above, up to 7.5 kHz; bins of 25 Hz.
BAND_EDGES = np.unique(np.round([3, 6, 10, *np.geomspace(14, 300, 14)]).astype(int))
TAIL_DECAY = 0.6
"""How much of the echo's power may linger from one block of 20 ms to the next."""
LEAK_UP_DB, LEAK_DOWN_DB = 0.1, 0.3
"""Steps of the learned leak: it settles where three blocks of four lie below it."""
DOUBT_FACTOR = 2.0
QUIET_DB = -22.0
"""Power of a block in a quiet room; what is below it is nobody."""
LOUD_ENOUGH_DB = -25.0
MOST_DB = 20.0
"""One band alone must not speak for all."""
SOMEBODY_DB = 1.2
"""Mean excess over the predicted echo that is taken for somebody."""
OPEN_BLOCKS = 10
"""The gate stays open for 200 ms: syllables have gaps."""
ECHO_SIMILARITY = 0.22
ECHO_RESIDUAL = 0.03


class EchoGate:
    """Opens for sound that the echo does not explain."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget how much leaks."""
        self._tail = np.zeros(len(BAND_EDGES) - 1)
        self._leak_db: Decibels = np.zeros(len(BAND_EDGES) - 1)
        self._open_blocks = 0

    def push(self, block: FilteredBlock, trusted: bool = True) -> bool:
        """Judge a block.

        Args:
            block: what the filter made of it.
            trusted: whether others, too, think that somebody may be there.

        Returns:
            Whether the gate is open for it.
        """
        excess_db = self._excess_db(block)
        resembles_echo = block.similarity > ECHO_SIMILARITY and block.residual_ratio > ECHO_RESIDUAL
        if excess_db > SOMEBODY_DB and trusted and not resembles_echo:
            self._open_blocks = OPEN_BLOCKS
        else:
            self._open_blocks = max(0, self._open_blocks - 1)
        return self._open_blocks > 0

    def _excess_db(self, block: FilteredBlock) -> float:
        """How far the residual lies above the predicted echo, averaged over the bands."""
        if block.path_changed:
            self._leak_db = np.maximum(self._leak_db, 0.0)
        self._tail = np.maximum(_bands(block.echo_power), TAIL_DECAY * self._tail)
        residual_db, echo_db = _decibels(_bands(block.residual_power)), _decibels(self._tail)
        leaked = _powers(echo_db + self._leak_db)
        doubted = DOUBT_FACTOR * _bands(block.uncertain_power)
        self._learn_leak(residual_db - echo_db, echo_db)
        predicted_db = np.maximum(_decibels(leaked + doubted), QUIET_DB)
        return float(np.mean(np.clip(residual_db - predicted_db, 0.0, MOST_DB)))

    def _learn_leak(self, leak_db: Decibels, echo_db: Decibels) -> None:
        """Move towards the leak seen now: slowly up, for that may be somebody, faster down."""
        step = np.clip(leak_db - self._leak_db, -LEAK_DOWN_DB, LEAK_UP_DB)
        self._leak_db += np.where(echo_db + self._leak_db > LOUD_ENOUGH_DB, step, 0.0)


def _bands(power: Float32Array) -> npt.NDArray[np.float64]:
    """Sum a power spectrum, (321,), into (17,) bands."""
    inside = power[: BAND_EDGES[-1]].astype(np.float64)
    return np.add.reduceat(inside, BAND_EDGES[:-1])


def _decibels(power: npt.NDArray[np.float64]) -> Decibels:
    return 10 * np.log10(power + 1e-9)


def _powers(decibels: Decibels) -> npt.NDArray[np.float64]:
    return np.power(10.0, decibels / 10)
