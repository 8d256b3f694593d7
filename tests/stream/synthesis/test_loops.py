import numpy as np
import pytest

from selftalk.stream.synthesis.loops import LOOP_TOKENS, looping_token

SPEECH = np.random.default_rng(0).integers(0, 1024, 200)


@pytest.mark.parametrize("period", [1, 2, 7, 25])
def test_a_loop_names_the_token_that_would_go_on(period):
    unit = np.arange(period) + 100
    looped = np.concatenate([SPEECH, np.resize(unit, LOOP_TOKENS)])
    assert looping_token(looped) == unit[LOOP_TOKENS % period]
    assert looping_token(np.append(looped, 5)) is None


def test_speech_and_a_held_sound_are_no_loop():
    assert looping_token(SPEECH) is None
    assert looping_token(SPEECH[:10]) is None
    held = np.concatenate([SPEECH, np.full(LOOP_TOKENS - 1, 7)])
    assert looping_token(held) is None
    almost = np.concatenate([np.resize([1, 2, 3], LOOP_TOKENS)])
    almost[10] = 9
    assert looping_token(almost) is None
