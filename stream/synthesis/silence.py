"""Silence: an utterance begins at once and ends with the pause that its punctuation asks for.

What a model leaves silent before the first sound is cut off, but for a moment; what it leaves
after the last is made as long as the pause should be. Knows nothing about models.
"""

import numpy as np

from selftalk.stream.sound.audio import Float32Array

LEAD_MS = 40
"""Kept before the first sound: soft consonants begin below the threshold."""
BLOCK_MS = 5
SILENT_LEVEL = 0.004  # -48 dBFS
PAUSE_MS = {".": 380, "?": 400, "!": 380, "…": 480, ";": 250, ":": 250, ",": 150, "-": 150}
SHORTEST_PAUSE_MS = 100
_SAME = str.maketrans("。．！？；：，、～—–", "..!?;:,,---")
_CLOSING = "\"'”’»」』)）]】 \t\n"


def pause_ms(text: str, speed: float = 1.0) -> int:
    """How long to be silent after a text."""
    stripped = text.rstrip(_CLOSING).translate(_SAME)
    usual = 480 if stripped.endswith("...") else PAUSE_MS.get(stripped[-1:], SHORTEST_PAUSE_MS)
    return round(usual / speed)


class EdgeSilence:
    """Passes an utterance on with its edges put right; `trimmed_samples` came off the front."""

    def __init__(self, sample_rate_hz: int, pause_ms: int) -> None:
        self._block = sample_rate_hz * BLOCK_MS // 1000
        self._lead = sample_rate_hz * LEAD_MS // 1000
        self._pause = sample_rate_hz * pause_ms // 1000
        self.reset()

    def reset(self) -> None:
        """Begin a new utterance."""
        self.trimmed_samples = 0
        self._started = False
        self._rest = np.zeros(0, np.float32)  # less than a block
        self._kept = np.zeros(0, np.float32)  # silence before the first sound, or beyond the pause
        self._silent_samples = 0  # given out since the last sound

    def push(self, samples: Float32Array) -> Float32Array:
        """Add (T,) samples; return what is certain to be heard."""
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // self._block * self._block
        self._rest = joined[whole:]
        return self._pass(joined[:whole])

    def flush(self) -> Float32Array:
        """The end of the utterance: the rest of its sound, and the pause."""
        padding = np.zeros(-len(self._rest) % self._block, np.float32)
        last = self._pass(np.concatenate([self._rest, padding]))
        missing = max(0, self._pause - self._silent_samples) if self._started else 0
        self._rest = self._kept = np.zeros(0, np.float32)
        return np.concatenate([last, np.zeros(missing, np.float32)])

    def _pass(self, blocks: Float32Array) -> Float32Array:
        squares = np.square(blocks.reshape(-1, self._block)).mean(axis=1)
        loud = np.flatnonzero(squares > SILENT_LEVEL**2) * self._block
        if not self._started:
            if not len(loud):
                return self._wait(blocks)
            self._started = True
            before = np.concatenate([self._kept, blocks[: loud[0]]])
            self.trimmed_samples += max(0, len(before) - self._lead)
            blocks = np.concatenate([before[-self._lead :], blocks[loud[0] :]])
            loud = loud + min(len(before), self._lead) - loud[0]
            self._kept = np.zeros(0, np.float32)
        if not len(loud):
            return self._fall_silent(blocks)
        sound = np.concatenate([self._kept, blocks[: loud[-1] + self._block]])
        self._kept, self._silent_samples = np.zeros(0, np.float32), 0
        return np.concatenate([sound, self._fall_silent(blocks[loud[-1] + self._block :])])

    def _wait(self, blocks: Float32Array) -> Float32Array:
        """Nothing was heard yet: keep the last moment only."""
        before = np.concatenate([self._kept, blocks])
        self.trimmed_samples += max(0, len(before) - self._lead)
        self._kept = before[-self._lead :]
        return before[:0]

    def _fall_silent(self, silence: Float32Array) -> Float32Array:
        """Give silence out as far as the pause; keep the rest, in case that sound comes again."""
        room = max(0, self._pause - self._silent_samples)
        given = silence[:room]
        self._silent_samples += len(given)
        self._kept = np.concatenate([self._kept, silence[room:]])
        return given
