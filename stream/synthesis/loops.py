"""Loops of semantic tokens: a model that lost the thread says the same moment again and again.

Knows nothing about models. Real speech holds a sound for a second at most, and never says the same
second twice, token for token.
"""

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]

LOOP_TOKENS = 50
"""Two seconds that only repeat themselves are no speech."""
LONGEST_PERIOD_TOKENS = 25


def looping_token(tokens: Int64Array) -> int | None:
    """The token that would go on with a loop, so that another can be drawn; None if there is none.

    Args:
        tokens: (T,) said so far, without the prompt.
    """
    if len(tokens) < LOOP_TOKENS:
        return None
    window = tokens[-LOOP_TOKENS:]
    for period in range(1, LONGEST_PERIOD_TOKENS + 1):
        if window[-1] == window[-1 - period] and np.array_equal(window[period:], window[:-period]):
            return int(window[-period])
    return None
