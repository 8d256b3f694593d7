"""The clearest candidates: many say a little, the best of them much."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from selftalk.models.training.clarity import Clarity, clearest
from selftalk.models.training.stock_voices import Candidate
from selftalk.models.training.styles import Timbre
from selftalk.stream.synthesis.bundle import default_bundle

EMBEDDING = np.full(256, 1 / 16, np.float32)
RECIPE = Timbre("sample", seed=1)
TIMBRE = np.zeros(128, np.float32)


def candidate(name: str) -> Candidate:
    return Candidate(name, RECIPE, EMBEDDING, TIMBRE, 5.0)


@dataclass
class Scripted:
    """Errors as they are written down: in the first few lines, and in the others."""

    first: dict[str, int]
    later: dict[str, int]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def errors(self, choice: Candidate, lines: slice) -> int:
        self.asked.append((choice.speaker, lines.stop - lines.start))
        return (self.later if lines.start else self.first)[choice.speaker]


def test_the_best_of_few_lines_are_heard_again_and_the_best_of_many_stay():
    clarity = Scripted(
        first={"a": 1, "b": 2, "c": 3, "d": 4, "e": 9, "f": 8},
        later={"a": 7, "b": 2, "c": 5, "d": 1},
    )
    chosen = clearest([candidate(name) for name in "abcdef"], clarity.errors, count=2)
    assert [choice.speaker for choice in chosen] == ["d", "b"]
    again = [name for name, lines in clarity.asked if lines > 8]
    assert sorted(again) == ["a", "b", "c", "d"]


@pytest.mark.weights
def test_a_speaker_that_is_no_speaker_is_not_understood():
    clarity = Clarity(default_bundle())
    usual = candidate("usual")
    lost = Candidate("lost", RECIPE, EMBEDDING, 30 * np.ones(128, np.float32), 5.0)
    few = slice(0, 2)
    assert clarity.errors(usual, few) < clarity.errors(lost, few)
