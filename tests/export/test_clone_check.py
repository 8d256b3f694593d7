from dataclasses import replace

import numpy as np
import pytest

from selftalk.export.clone_check import Check, Score, lost_words
from selftalk.export.cloning import Candidate
from selftalk.stream.graphs.graph_patch import GraphPatch
from selftalk.stream.listening.wer import ErrorRate
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.voices import Voice

SENTENCES = ("one two three four five six seven eight nine ten",) * 2
PERSON = np.array([1.0, 0.0], np.float32)


class Speaks:
    """Says a sound that names the voice."""

    sample_rate_hz = 16_000

    def synthesize(self, text, voice, options):
        return AudioChunk(np.full(1600, voice.mean_log_pitch, np.float32), 16_000)


def check(tmp_path, words_lost, likeness, hard="en"):
    """A check whose voices lose words and are alike as told, by their place."""

    def hear(audio, language):
        lost = words_lost[round(float(audio.samples[800]) * 100)] * (language == hard)
        return " ".join(SENTENCES[0].split()[lost:])

    def embed(audio):
        cosine = likeness[round(float(audio.samples[800]) * 100)]
        return np.array([cosine, np.sqrt(1 - cosine**2)])

    sentences = {"en": SENTENCES, "de": SENTENCES}
    return Check(Speaks(), hear, embed, sentences, PERSON, tmp_path)


def candidates():
    names = ("sound and rhythm", "sound", "half of the sound", "nothing")
    return [Candidate(name, Voice("me", PERSON, place / 100)) for place, name in enumerate(names)]


@pytest.mark.parametrize(
    ("words_lost", "likeness", "chosen"),
    [
        ((0, 0, 0, 0), (0.9, 0.8, 0.7, 0.6), "sound and rhythm"),
        ((2, 0, 0, 1), (0.9, 0.8, 0.7, 0.6), "sound"),
        ((9, 9, 0, 0), (0.9, 0.8, 0.7, 0.6), "half of the sound"),
        ((9, 9, 9, 0), (0.9, 0.8, 0.7, 0.6), "nothing"),
        ((0, 0, 0, 0), (0.5, 0.5, 0.5, 0.6), "nothing"),
        ((9, 9, 9, 9), (0.9, 0.8, 0.7, 0.6), "sound and rhythm"),
        ((0, 0, 0, 0), (0.7, 0.75, 0.9, 0.6), "sound and rhythm"),
        ((0, 0, 0, 0), (0.5, 0.75, 0.9, 0.6), "sound"),
    ],
)
def test_what_is_learnt_is_taken_back_until_it_is_understood(
    tmp_path, words_lost, likeness, chosen
):
    found, after, before = check(tmp_path, words_lost, likeness).choose(candidates())
    assert found.what == chosen
    assert after.understood_as(before)
    assert before.similarity == pytest.approx(0.6)


def test_every_language_of_the_model_must_be_understood(tmp_path):
    judge = check(tmp_path, (1, 0, 0, 0), (0.9, 0.8, 0.7, 0.6), hard="de")
    found, after, _ = judge.choose(candidates())
    assert found.what == "sound"
    assert after.error_rates == {"en": 0, "de": 0}


def score(*errors):
    """A score by the words lost of ten in each sentence, in English and German."""
    rows = [[ErrorRate(lost, 0, 0, 10) for lost in each] for each in errors]
    return Score(dict(zip(("en", "de"), rows, strict=True)), 0.5)


def test_a_language_may_not_be_lost_for_another():
    before = score([2] * 6, [1] * 6)
    assert score([0] * 6, [1] * 6).understood_as(before)
    assert not score([0] * 6, [3] * 6).understood_as(before)


def test_chance_in_one_language_is_no_loss():
    before = score([1] * 6, [1] * 6)
    unlucky = score([0, 1, 1, 1, 0, 1], [0, 1, 0, 6, 1, 3])
    assert lost_words(list(zip(unlucky.errors["de"], before.errors["de"], strict=True)))[0] > 0.08
    assert unlucky.understood_as(before)


def test_in_all_languages_together_less_may_be_lost_than_in_one():
    before = score([1] * 6, [1] * 6)
    assert score([2, 2, 1, 1, 1, 1], [2, 1, 1, 1, 1, 2]).understood_as(before)  # 4 of 120 words
    assert not score([2, 2, 2, 1, 1, 1], [2, 1, 1, 1, 1, 2]).understood_as(before)  # 5


def test_a_loss_is_as_uncertain_as_its_sentences_differ():
    pairs = [(ErrorRate(after, 0, 0, 10), ErrorRate(1, 0, 0, 10)) for after in (1, 1, 3, 3)]
    lost, uncertainty = lost_words(pairs)
    assert lost == pytest.approx(0.1)
    assert uncertainty == pytest.approx(np.std([0, 0, 0.2, 0.2], ddof=1) / 2)


def test_patches_are_tried_as_files(tmp_path):
    patch = GraphPatch.between(b"abc", b"abd")
    candidate = Candidate("sound", Voice("me", PERSON, 0.0), lambda: {"vocoder": patch})
    voice = check(tmp_path, (0,), (1,)).kept(candidate)
    assert GraphPatch.load(voice.patches["vocoder"]).apply(b"abc", "me") == b"abd"


def test_every_sentence_of_the_check_is_told(tmp_path):
    told = []
    judge = replace(
        check(tmp_path, (0, 0, 0, 0), (0.9, 0.8, 0.7, 0.6)),
        watch=lambda what: lambda done, count, _figures: told.append((what, done, count)),
    )
    judge.choose(candidates())
    learnt = [("sound and rhythm", done, 4) for done in range(1, 5)]
    assert told == [("nothing", done, 4) for done in range(1, 5)] + learnt
