"""Batches: which items a step sees. Items of like length go together, so that little is padded.

Everything follows from the number of the step, so a run that was killed sees the same batches when
it goes on. Knows nothing about what the items are.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from selftalk.stream.errors import ConfigError

Int64Array = npt.NDArray[np.int64]
POOL_BATCHES = 8  # batches are cut from so many batches' worth of shuffled items, sorted


class Batches:
    """The batches of all epochs, each item once in an epoch."""

    def __init__(self, lengths: Sequence[int], batch: int, *, fewest_items: int = 0) -> None:
        """Plan.

        Args:
            lengths: of every item, in any unit.
            batch: items at once.
            fewest_items: a smaller set is repeated until an epoch has as many.

        Raises:
            ConfigError: there is nothing to train on.
        """
        if not len(lengths):
            raise ConfigError("there is nothing to train on: every item was left out")
        self._lengths = np.asarray(lengths)
        self._batch = batch
        self._repeats = max(1, -(-fewest_items // len(lengths)))
        self._planned: tuple[int, list[Int64Array]] = (-1, [])
        self.per_epoch = len(self._plan(0))

    def at(self, step: int) -> Int64Array:
        """Items of a step."""
        epoch, index = divmod(step, self.per_epoch)
        if self._planned[0] != epoch:
            self._planned = (epoch, self._plan(epoch))
        return self._planned[1][index]

    def _plan(self, epoch: int) -> list[Int64Array]:
        generator = np.random.default_rng((11, epoch))
        order = generator.permutation(np.tile(np.arange(len(self._lengths)), self._repeats))
        batches = []
        for start in range(0, len(order), POOL_BATCHES * self._batch):
            pool = order[start : start + POOL_BATCHES * self._batch]
            pool = pool[np.argsort(self._lengths[pool], kind="stable")]
            batches += [pool[i : i + self._batch] for i in range(0, len(pool), self._batch)]
        return [batches[index] for index in generator.permutation(len(batches))]
