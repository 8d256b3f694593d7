import numpy as np
import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.evaluation.held_out import SETS, Sentence, held_out
from selftalk.stream.evaluation.measures import measure
from selftalk.stream.evaluation.report import bootstrap, summarize, table
from selftalk.stream.evaluation.systems import Spoken
from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.sound.audio import AudioChunk


class FakeSystem:
    name = "fake"
    voices = ("a", "b")

    def say(self, sentence, voice):
        return Spoken(AudioChunk(np.zeros(24_000, np.float32), 24_000), 0.5, 0.1)


class FakeRecognizer:
    """Hears one sentence right and the other with a word missing and two too many."""

    def __init__(self):
        self.heard = ["one two three four", "five seven oh dear"]

    def transcribe(self, chunk, language=None):
        return Transcript(self.heard.pop(0), language)


def spoken():
    sentences = [Sentence("One two three four.", "en"), Sentence("Five six seven.", "en")]
    rating = lambda chunk: {"loudness": float(len(chunk))}  # noqa: E731
    return list(measure(FakeSystem(), sentences, FakeRecognizer(), [rating]))


def test_voices_take_turns_and_every_utterance_is_measured():
    results = spoken()
    assert [result.voice for result in results] == ["a", "b"]
    assert [result.errors.errors for result in results] == [0, 3]
    assert results[0].ratings == {"loudness": 24_000.0}


def test_a_summary_weighs_by_words():
    summary = summarize("fake", spoken())
    assert summary.words == 7
    assert summary.error_rate == pytest.approx(3 / 7)
    assert summary.skipped == pytest.approx(1 / 7)
    assert summary.repeated == pytest.approx(2 / 7)
    assert summary.rtf == pytest.approx(0.5)
    assert summary.first_audio_ms == pytest.approx(100)
    assert summary.interval[0] <= summary.error_rate <= summary.interval[1]


def test_the_interval_is_narrow_where_sentences_agree():
    errors, words = np.full(50, 2.0), np.full(50, 10.0)
    assert bootstrap(errors, words) == (0.2, 0.2)
    errors[::2] = 0
    low, high = bootstrap(errors, words)
    assert low < 0.1 < high


def test_the_table_has_a_line_for_each_system():
    lines = table([summarize("fake", spoken())]).splitlines()
    assert len(lines) == 2
    assert "42.9 %" in lines[1]


@pytest.mark.parametrize("name", SETS)
def test_sets_are_large_and_apart_from_each_other(name):
    sentences = held_out(name)
    assert len(sentences) >= 50
    assert len({sentence.text for sentence in sentences}) == len(sentences)


def test_what_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="known: en, zh, replies"):
        held_out("fr")
    with pytest.raises(ConfigError, match="has 100 sentences"):
        held_out("en", 101)


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_of_one_language(name):
    sentences = held_out(name)
    assert len({sentence.language for sentence in sentences}) == 1
    chinese = [any("\u4e00" <= letter <= "\u9fff" for letter in s.text) for s in sentences]
    assert set(chinese) == {sentences[0].language == "zh"}
