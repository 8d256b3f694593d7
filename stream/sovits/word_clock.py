"""WordClock: when each word is heard, from what the frames look at while they are encoded.

Each frame looks at some phones more than at others. The likeliest way through them that never goes
back says where each phone ends. Knows nothing about models.
"""

import numpy as np
import numpy.typing as npt

from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.synthesis.speech import PhoneTime, WordTime
from selftalk.stream.text.phonemes import Phonemes

Int64Array = npt.NDArray[np.int64]


class WordClock:
    """The words of one sentence, each handed out once, when it was heard."""

    def __init__(self, phonemes: Phonemes, phones_before: int, samples_per_frame: float) -> None:
        """Begin a sentence.

        Args:
            phonemes: what is said.
            phones_before: how many phones the model was given in front of them.
            samples_per_frame: of the frames of alignments.
        """
        self._phonemes = phonemes
        self._before = phones_before
        self._samples_per_frame = samples_per_frame
        self._places: list[list[int]] = [[] for _ in phonemes.words]
        for place, word in enumerate(phonemes.word_index):
            if word >= 0:
                self._places[word].append(place)
        self._next = 0
        self._heard = 0  # before the chunk that is being taken
        self._end = 0  # of the last word

    def take(self, alignment: Float32Array, heard_samples: int, *, over: bool) -> list[WordTime]:
        """The words that end up to a sample, or all that are left.

        Args:
            alignment: (T, N) of all frames so far.
            heard_samples: how much is heard with this chunk.
            over: whether that is everything.
        """
        ends = np.rint(phone_ends(alignment, over) * self._samples_per_frame).astype(np.int64)
        said = []
        while self._next < len(self._places):
            places = [place + self._before for place in self._places[self._next]]
            if not over and (not places or ends[places[-1]] > heard_samples):
                break
            said.append(self._time(places, ends, heard_samples))
            self._next += 1
        self._heard = heard_samples
        return said

    def _time(self, places: list[int], ends: Int64Array, heard_samples: int) -> WordTime:
        """Put a word after the one before, and its end into what is heard now."""
        phones: list[PhoneTime] = []
        start = self._end
        for place in places:
            first = int(ends[place - 1]) if place else 0
            first, last = (
                min(max(at, self._end), heard_samples) for at in (first, int(ends[place]))
            )
            start = first if not phones else start
            phones.append(PhoneTime(self._phonemes.symbols[place - self._before], first, last))
            self._end = last
        self._end = max(self._end, min(self._heard + 1, heard_samples))
        return WordTime(self._phonemes.words[self._next], start, self._end, tuple(phones))


def phone_ends(alignment: Float32Array, complete: bool) -> Int64Array:
    """The frame at which each phone ends: (N,); T for those that were not reached.

    Args:
        alignment: (T, N) how much each frame looks at each phone.
        complete: whether the last frame belongs to the last phone.
    """
    T, N = alignment.shape
    if not T:
        return np.zeros(N, np.int64)
    if complete and T < N:  # more phones than frames: nothing but even shares is left
        return np.asarray(np.arange(1, N + 1) * T // N, np.int64)
    scores = np.log(alignment.astype(np.float64) + 1e-6)
    best = np.full(N, -np.inf)
    best[0] = scores[0, 0]
    moved = np.zeros((T, N), bool)
    for frame in range(1, T):
        before = np.concatenate([[-np.inf], best[:-1]])
        moved[frame] = before > best
        best = scores[frame] + np.maximum(best, before)
    phone = N - 1 if complete else int(np.argmax(best))
    ends = np.full(N, T, np.int64)
    for frame in range(T - 1, 0, -1):
        if moved[frame, phone]:
            phone -= 1
            ends[phone] = frame
    return ends
