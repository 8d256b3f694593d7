import numpy as np
import pytest

from selftalk.stream.errors import RecognizerError
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sovits.clip import best_clip

RATE_HZ = 16_000


def recording(seconds):
    """Speech of 4 s, louder each time, between pauses of 1 s."""
    random = np.random.default_rng(0)
    samples = 0.1 * random.standard_normal(int(seconds * RATE_HZ))
    samples[(np.arange(len(samples)) / RATE_HZ) % 5 >= 4] *= 0.005
    return AudioChunk(samples.astype(np.float32), RATE_HZ)


def deaf(audio):
    raise RecognizerError("no ears")


@pytest.mark.parametrize("seconds", [2, 6, 10])
def test_a_short_recording_with_its_text_is_taken_as_it_is(seconds):
    whole = recording(seconds)
    clip = best_clip(whole, " Said. ", deaf)
    assert (clip.audio, clip.text, clip.remark) == (whole, "Said.", "")


@pytest.mark.parametrize("seconds", [12, 61, 300])
def test_a_long_recording_gives_its_best_seconds_and_their_part_of_the_text(seconds):
    asked = []

    def hear(audio):
        asked.append(audio)
        return "the second thing"

    clip = best_clip(recording(seconds), "The first. The second thing! The third.", hear)
    assert 3 <= clip.audio.duration_seconds <= 10
    assert asked == [clip.audio]
    assert clip.text == "The second thing!"
    assert "were chosen" in clip.remark


def test_without_a_text_what_is_heard_is_taken():
    clip = best_clip(recording(5), "", lambda audio: "hello there")
    assert clip.text == "hello there"
    assert "--text" in clip.remark


def test_a_text_of_something_else_gives_way_to_what_is_heard():
    clip = best_clip(recording(20), "Quite another story.", lambda audio: "hello there my friend")
    assert clip.text == "hello there my friend"
    assert "nowhere in the text" in clip.remark


def test_who_cannot_hear_says_so_and_goes_on():
    clip = best_clip(recording(20), "The text.", deaf)
    assert clip.text == ""
    assert "no ears" in clip.remark
