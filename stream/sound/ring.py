"""SampleRing: samples handed from one thread to another without a lock.

One thread writes, one reads, and neither ever waits or allocates, so that either may be the
callback of a sound card. Positions count all samples ever written or read.
Knows nothing about sound.
"""

import numpy as np

from selftalk.stream.sound.audio import Float32Array


class SampleRing:
    """A preallocated buffer for one producer and one consumer."""

    def __init__(self, capacity_samples: int) -> None:
        assert capacity_samples > 0, capacity_samples
        self._buffer = np.zeros(capacity_samples, np.float32)
        # Each position is changed by one thread only and after its samples were copied:
        # what the other thread sees may be old, but never wrong.
        self._written = 0
        self._read = 0
        self.dropped_samples = 0
        """How many samples `write` refused because the ring was full."""

    @property
    def capacity_samples(self) -> int:
        """How many samples can wait."""
        return len(self._buffer)

    @property
    def written_samples(self) -> int:
        """Position of the writer."""
        return self._written

    @property
    def read_samples(self) -> int:
        """Position of the reader."""
        return self._read

    @property
    def waiting_samples(self) -> int:
        """How many samples can be read now."""
        return self._written - self._read

    @property
    def free_samples(self) -> int:
        """How many samples can be written now."""
        return len(self._buffer) - self.waiting_samples

    def write(self, samples: Float32Array) -> int:
        """Writer: add (T,) samples; what does not fit is dropped and counted.

        Returns:
            How many were accepted.
        """
        accepted = min(len(samples), self.free_samples)
        start = self._written % len(self._buffer)
        first = min(accepted, len(self._buffer) - start)
        self._buffer[start : start + first] = samples[:first]
        self._buffer[: accepted - first] = samples[first:accepted]
        self._written += accepted
        self.dropped_samples += len(samples) - accepted
        return accepted

    def read_into(self, out: Float32Array) -> int:
        """Reader: fill the front of `out` with what is there.

        Returns:
            How many samples of `out` were filled; the others are untouched.
        """
        count = min(len(out), self.waiting_samples)
        start = self._read % len(self._buffer)
        first = min(count, len(self._buffer) - start)
        out[:first] = self._buffer[start : start + first]
        out[first:count] = self._buffer[: count - first]
        self._read += count
        return count

    def read(self, at_most: int | None = None) -> Float32Array:
        """Reader: take what is there, or no more than `at_most`, as a new array."""
        waiting = self.waiting_samples
        out = np.empty(waiting if at_most is None else min(waiting, at_most), np.float32)
        self.read_into(out)
        return out

    def skip_to(self, position: int) -> None:
        """Reader: drop everything before this position of the writer."""
        assert position <= self._written, (position, self._written)
        self._read = max(self._read, position)
