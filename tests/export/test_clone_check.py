from types import SimpleNamespace

import numpy as np
import pytest

from selftalk.export.clone_check import Check
from selftalk.export.cloning import Candidate
from selftalk.stream.audio import AudioChunk
from selftalk.stream.graph_patch import GraphPatch
from selftalk.stream.recognizer import Transcript
from selftalk.stream.voices import Voice

SENTENCES = ("one two three four five six seven eight nine ten",) * 2
PERSON = np.array([1.0, 0.0], np.float32)


class Speaks:
    """Says a sound that names the voice."""

    sample_rate_hz = 16_000

    def synthesize(self, text, voice, options):
        return AudioChunk(np.full(1600, voice.mean_log_pitch, np.float32), 16_000)


def check(tmp_path, words_lost, likeness):
    """A check whose voices lose words and are alike as told, by their place."""

    def transcribe(audio, language):
        lost = words_lost[round(float(audio.samples[800]) * 100)]
        return Transcript(" ".join(SENTENCES[0].split()[lost:]), language)

    def embed(audio):
        cosine = likeness[round(float(audio.samples[800]) * 100)]
        return np.array([cosine, np.sqrt(1 - cosine**2)])

    recognizer = SimpleNamespace(transcribe=transcribe)
    return Check(Speaks(), recognizer, embed, "en", SENTENCES, PERSON, tmp_path)


def candidates():
    names = ("colour, sound and rhythm", "colour and sound", "colour", "nothing")
    return [Candidate(name, Voice("me", PERSON, place / 100)) for place, name in enumerate(names)]


@pytest.mark.parametrize(
    ("words_lost", "likeness", "chosen"),
    [
        ((0, 0, 0, 0), (0.9, 0.8, 0.7, 0.6), "colour, sound and rhythm"),
        ((2, 0, 0, 1), (0.9, 0.8, 0.7, 0.6), "colour and sound"),
        ((9, 9, 0, 0), (0.9, 0.8, 0.7, 0.6), "colour"),
        ((9, 9, 9, 0), (0.9, 0.8, 0.7, 0.6), "nothing"),
        ((0, 0, 0, 0), (0.5, 0.5, 0.5, 0.6), "nothing"),
        ((9, 9, 9, 9), (0.9, 0.8, 0.7, 0.6), "colour, sound and rhythm"),
    ],
)
def test_what_is_learnt_is_taken_back_until_it_is_understood(
    tmp_path, words_lost, likeness, chosen
):
    found, after, before = check(tmp_path, words_lost, likeness).choose(candidates())
    assert found.what == chosen
    assert after.word_error_rate <= before.word_error_rate + 0.05
    assert before.similarity == pytest.approx(0.6)


def test_five_points_are_allowed(tmp_path):
    lost = {0: 0, 1: 0, 2: 0, 3: 0}
    several = check(tmp_path, lost, (0.9, 0.8, 0.7, 0.6))
    assert several.choose(candidates())[1].word_error_rate == 0


def test_patches_are_tried_as_files(tmp_path):
    patch = GraphPatch.between(b"abc", b"abd")
    candidate = Candidate("colour", Voice("me", PERSON, 0.0), {"vocoder": patch})
    voice = check(tmp_path, (0,), (1,)).kept(candidate)
    assert GraphPatch.load(voice.patches["vocoder"]).apply(b"abc", "me") == b"abd"
