"""SpokenWords: hands out the words of an utterance as their sound is made.

Models say when a word is heard as if nothing was cut off; here the times become those of what is
really heard. Knows nothing about models.
"""

from dataclasses import replace

from selftalk.stream.synthesis.speech import PhoneTime, WordTime


class SpokenWords:
    """Each word once, in order, with the chunk in which it begins.

    The last one waits until its end is certain: with it goes the silence that is cut off.
    """

    def __init__(self, words: tuple[WordTime, ...]) -> None:
        self._left = words

    def take(
        self, heard_samples: int, trimmed_samples: int = 0, *, over: bool = False
    ) -> tuple[WordTime, ...]:
        """The words that are due.

        Args:
            heard_samples: length of the utterance so far, this chunk included.
            trimmed_samples: what was cut off before it.
            over: whether this is the last chunk.
        """
        known = heard_samples + trimmed_samples
        if over:
            count = len(self._left)
        else:
            count = sum(word.start_samples < known for word in self._left[:-1])
            last = self._left[-1:]
            count += bool(last) and count == len(self._left) - 1 and last[0].end_samples <= known
        taken, self._left = self._left[:count], self._left[count:]
        return tuple(
            moved(word, trimmed_samples, heard_samples if over else word.end_samples)
            for word in taken
        )


def moved(word: WordTime, earlier_samples: int, longest_samples: int) -> WordTime:
    """A word earlier by so much, and not beyond an end."""

    def at(position: int) -> int:
        return min(max(0, position - earlier_samples), longest_samples)

    phones = tuple(
        PhoneTime(phone.symbol, at(phone.start_samples), at(phone.end_samples))
        for phone in word.phones
    )
    return replace(
        word,
        start_samples=at(word.start_samples),
        end_samples=at(word.end_samples),
        phones=phones,
    )
