import dataclasses
import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from selftalk.stream.nano.alignment import align
from selftalk.stream.nano.semantic import Plan
from selftalk.stream.nano.synthesizer import NanoSynthesizer, quiet_cuts, symbols_of
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.sampling import SamplingConfig
from selftalk.stream.synthesis.schedule import Costs, Machine, solve
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.text import phonemize

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"
TEXT = "Hello there, my friend. How are you?"


@pytest.fixture(scope="module")
def synthesizer():
    return NanoSynthesizer(Bundle.load(TINY))


@pytest.fixture(scope="module")
def voice():
    embedding = np.random.default_rng(0).standard_normal(256).astype(np.float32)
    return Voice("somebody", embedding / np.linalg.norm(embedding), float(np.log(150)))


@pytest.mark.parametrize("chunk_tokens", [(6, 10, 16, 25), (4, 1, 1, 2), (25,)])
def test_chunked_equals_whole(synthesizer, voice, chunk_tokens):
    whole = synthesizer.synthesize(TEXT, voice, SynthesisOptions(chunk_tokens=(10_000,)))
    chunked = synthesizer.synthesize(TEXT, voice, SynthesisOptions(chunk_tokens=chunk_tokens))
    assert np.abs(whole.samples).max() > 0.01
    np.testing.assert_allclose(chunked.samples, whole.samples, atol=1e-5)


def test_a_cut_is_quiet_where_sound_reaches_into_a_pause():
    symbols = symbols_of(phonemize("No, no", "en"))  # SP N OW1 , N OW1 . SP
    one_token_each = np.full(len(symbols), 1.6).cumsum().round().astype(int)
    plan = Plan(symbols, np.zeros((8, 1), np.float32), align(np.diff(one_token_each, prepend=0)))
    paused = [True, False, False, True, False, False, True, True]
    assert quiet_cuts(plan, 0)[:8] == paused
    assert quiet_cuts(plan, 3)[:8] == [False, False, False, *paused[:5]]


def test_a_measured_machine_hears_the_same_speech(voice):
    quick = solve(Machine(Costs(0.001, 0.002, 0.001), Costs(0.002, 0.004, 0.002), 3))
    synthesizer = NanoSynthesizer(Bundle.load(TINY), schedule=quick)
    whole = synthesizer.synthesize(TEXT, voice, SynthesisOptions(chunk_tokens=(10_000,)))
    chunked = synthesizer.synthesize(TEXT, voice)
    np.testing.assert_allclose(chunked.samples, whole.samples, atol=1e-5)


def test_same_seed_same_speech_other_seed_other_speech(synthesizer, voice):
    warm = SamplingConfig(top_k=50, temperature=1.0, repetition_penalty=1.0)
    first, again, other = (
        synthesizer.synthesize(TEXT, voice, SynthesisOptions(seed=seed, sampling=warm)).samples
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_words_come_once_in_order_and_in_time(synthesizer, voice):
    heard, words = 0, []
    for chunk in synthesizer.stream(TEXT, voice):
        heard += len(chunk.audio)
        for word in chunk.words:
            assert word.start_samples < heard
        words += chunk.words
    assert [word.text for word in words] == ["Hello", "there", "my", "friend", "How", "are", "you"]
    assert all(a.end_samples <= b.start_samples for a, b in itertools.pairwise(words))
    assert words[-1].end_samples <= heard


def test_phones_fill_their_words_without_gaps(synthesizer, voice):
    words = [word for chunk in synthesizer.stream(TEXT, voice) for word in chunk.words]
    assert [phone.symbol for phone in words[2].phones] == ["M", "AY1"]
    for word in words:
        assert word.phones[0].start_samples == word.start_samples
        assert word.phones[-1].end_samples == word.end_samples
        assert all(a.end_samples == b.start_samples for a, b in itertools.pairwise(word.phones))


def test_half_the_speed_is_twice_as_long(synthesizer, voice):
    usual = synthesizer.synthesize(TEXT, voice, SynthesisOptions())
    slow = synthesizer.synthesize(TEXT, voice, SynthesisOptions(speed=0.5))
    assert len(slow) == pytest.approx(2 * len(usual), rel=0.05)


def test_nothing_to_say_is_no_chunk(synthesizer, voice):
    assert list(synthesizer.stream("…!", voice)) == []


@pytest.mark.parametrize("text", ["I", "no", "42", "你好", "a b c d e f g " * 30])
def test_short_and_long_texts(synthesizer, voice, text):
    language = "zh" if text == "你好" else "en"
    options = SynthesisOptions(language=language)
    assert len(synthesizer.synthesize(text, voice, options)) > 1000


def test_a_set_flag_ends_the_stream(synthesizer, voice):
    stop = StopFlag()
    chunks = synthesizer.stream("a long sentence " * 20, voice, stop=stop)
    next(chunks)
    stop.set()
    assert list(chunks) == []


def test_no_thread_is_left_behind(synthesizer, voice):
    before = threading.active_count()
    chunks = synthesizer.stream("a long sentence " * 20, voice)
    next(chunks)
    chunks.close()
    assert threading.active_count() == before


def test_marks_are_told_in_order(synthesizer, voice):
    marks = []
    list(synthesizer.stream("hello", voice, marks=marks.append))
    assert marks == ["phonemes_ready", "prefill", "first_semantic_token"]


def test_pitch_option_moves_the_speaker(synthesizer, voice):
    options = dataclasses.replace(SynthesisOptions(), pitch_semitones=5)
    usual = synthesizer.synthesize(TEXT, voice)
    higher = synthesizer.synthesize(TEXT, voice, options)
    assert len(usual) != len(higher) or not np.allclose(usual.samples, higher.samples)
