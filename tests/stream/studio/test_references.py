from dataclasses import replace

import numpy as np
import pytest

from selftalk.stream.studio.recording import Slice
from selftalk.stream.studio.references import choose_references, deviations, quality_of

TEXT = "The quick brown fox jumps over the lazy dog."


def slice_of(seconds=6.0, pitch=5.0, spread=6.0, level=-20.0, pace=4.0, text=TEXT):
    samples = np.zeros(round(1000 * seconds), np.float32)
    return Slice(samples, 1000, 0, "one", text, 0.9, pitch, spread, level, pace)


LIVELY = slice_of(pitch=5.4, spread=10, level=-15, pace=6)
TIRED = slice_of(pitch=4.7, spread=3, level=-27, pace=2.5)
CALM = [slice_of(pitch=5 + 0.01 * n) for n in range(6)]


def test_calm_lively_and_tired_are_told_apart():
    references = choose_references([*CALM[:3], LIVELY, *CALM[3:], TIRED])
    assert references["lively"][0] == 3
    assert references["tired"][0] == 7
    assert not {3, 7} & set(references["neutral"])


def test_a_voice_that_never_changes_is_neutral_only():
    assert set(choose_references([slice_of()] * 5)) == {"neutral"}


def test_a_neutral_reference_is_usual_in_everything():
    high_and_slow = slice_of(pitch=5.3, pace=2.4)
    assert choose_references([high_and_slow, *CALM[:3]])["neutral"][0] != 0


def test_small_changes_are_no_mood():
    generator = np.random.default_rng(0)
    read_on = [
        slice_of(pitch=5 + 0.03 * p, spread=6 + s, level=-20 + 0.8 * v, pace=4 + 0.5 * r)
        for p, s, v, r in generator.standard_normal((12, 4))
    ]
    assert set(choose_references(read_on)) == {"neutral"}


def test_short_long_and_voiceless_slices_are_no_references():
    assert choose_references([slice_of(2.0), slice_of(11.0), slice_of(pitch=0.0)]) == {}


def test_at_most_three_are_kept():
    assert len(choose_references(CALM)["neutral"]) == 3


def test_liveliness_is_relative_to_the_person():
    scores = deviations([*CALM, LIVELY, TIRED]).mean(axis=1)
    assert scores.argmax() == 6
    assert scores.argmin() == 7
    assert abs(scores[:6]).max() < 0.3


@pytest.mark.parametrize(
    "worse",
    [
        slice_of(3.0),
        slice_of(10.0),
        slice_of(text="Oh no no."),
        slice_of(text=TEXT[:-1]),
        replace(slice_of(), confidence=0.3),
    ],
)
def test_good_references_are_long_rich_complete_and_clear(worse):
    assert quality_of(worse) < quality_of(slice_of())
