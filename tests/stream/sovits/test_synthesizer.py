import dataclasses
import itertools

import numpy as np
import pytest
from fakes_sovits import bundle_of, somebody

from selftalk.stream.errors import VoiceError
from selftalk.stream.sovits.full_stops import completed
from selftalk.stream.sovits.semantic import Utterance
from selftalk.stream.sovits.synthesizer import SovitsSynthesizer
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.chunks import windows_of
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, open_synthesizer
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.text.phonemes import Phonemes

TEXT = "Good day."
OPTIONS = SynthesisOptions(language="en")


@pytest.fixture(scope="module")
def synthesizer():
    return SovitsSynthesizer(bundle_of(precision="int8"), OPTIONS)


@pytest.fixture(scope="module")
def voice(synthesizer):
    return somebody(synthesizer.bundle)


def test_a_sentence_word_by_word(synthesizer, voice):
    marks, heard, words = [], 0, []
    chunks = list(synthesizer.stream(TEXT, voice, marks=marks.append))
    for chunk in chunks:
        assert np.abs(chunk.audio.samples).max() <= 1
        heard += len(chunk.audio)
        words += chunk.words
    assert len(chunks) > 1
    assert marks == ["phonemes_ready", "prefill", "first_semantic_token"]
    assert [word.text for word in words] == ["Good", "day"]
    assert all(a.end_samples <= b.start_samples for a, b in itertools.pairwise(words))
    assert words[-1].end_samples <= heard


def test_who_waits_for_the_whole_sentence_hears_what_would_be_said_at_once():
    synthesizer = SovitsSynthesizer(bundle_of(), OPTIONS)
    voice = somebody(synthesizer.bundle)

    def spoken(**options):
        chunks = synthesizer.stream(TEXT, voice, options=dataclasses.replace(OPTIONS, **options))
        return [chunk.audio.samples for chunk in chunks]

    def error_of(chunks):
        length = max(len(whole), sum(map(len, chunks)))
        padded = [np.pad(x, (0, length - len(x))) for x in (np.concatenate(chunks), whole)]
        return np.square(padded[0] - padded[1]).sum() / np.square(whole).sum()

    [whole] = spoken(chunk_tokens=(100_000,))
    exact, planned, hasty = spoken(exact=True), spoken(), spoken(chunk_tokens=(10, 12, 20, 40))
    assert min(map(len, (exact, planned, hasty))) > 1
    assert error_of(exact) < 1e-4
    assert error_of(exact) < error_of(planned) < error_of(hasty)
    at_once = synthesizer.synthesize(TEXT, voice).samples
    np.testing.assert_array_equal(at_once, np.concatenate(exact))


@pytest.mark.parametrize(("speed", "pitch_semitones"), [(1, 0), (2, 0), (0.5, 7), (2, -12)])
def test_chunks_hold_what_was_planned_however_fast_or_high_a_voice_is(
    synthesizer, voice, speed, pitch_semitones
):
    options = dataclasses.replace(OPTIONS, speed=speed, pitch_semitones=pitch_semitones)
    pressed = speed / 2 ** (pitch_semitones / 12)
    vocoder = synthesizer._vocoder.stream(np.arange(12), voice.reference.style, speed=pressed)
    hop, spoken = synthesizer._vocoder.sizes.hop_samples, 0
    for window in windows_of(iter(range(70)), synthesizer._plan(options)):
        speak = vocoder.push if window.left is None else vocoder.flush
        spoken += len(speak(np.array(window.tokens, np.int64), window.spoken_tokens))
        assert spoken == int(2 * window.spoken_tokens / pressed) * hop


def test_a_sentence_without_an_end_is_ended_with_a_message(synthesizer, voice, monkeypatch, caplog):
    said_at_most = {"an end": 20, "none": 100_000}
    for end, tokens in said_at_most.items():
        monkeypatch.setattr(
            Utterance, "draw", lambda self, _, n=tokens: 3 if self.said < n else None
        )
        caplog.clear()
        list(synthesizer.stream(TEXT, voice))
        told = [line for line in caplog.messages if "found no end" in line and TEXT in line]
        assert bool(told) == (end == "none")


def test_same_seed_same_speech(synthesizer, voice):
    first, again, other = (
        synthesizer.synthesize("No.", voice, dataclasses.replace(OPTIONS, seed=seed)).samples
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or not np.array_equal(first, other)


def test_a_higher_voice_is_another_voice(synthesizer, voice):
    options = dataclasses.replace(OPTIONS, pitch_semitones=4)
    assert len(synthesizer.synthesize("No.", voice, options)) > 10_000


def test_nothing_to_say(synthesizer, voice):
    assert list(synthesizer.stream("…!", voice)) == []


def test_a_set_flag_ends_the_stream(synthesizer, voice):
    stop = StopFlag()
    chunks = synthesizer.stream("a long sentence " * 5, voice, stop=stop)
    next(chunks)
    stop.set()
    assert list(chunks) == []


def test_a_voice_for_another_model_is_refused(synthesizer, voice):
    stranger = dataclasses.replace(
        voice, reference=dataclasses.replace(voice.reference, model="another")
    )
    with pytest.raises(VoiceError, match="made for another model"):
        next(synthesizer.stream(TEXT, stranger))
    with pytest.raises(VoiceError, match="`selftalk reference`"):
        next(synthesizer.stream(TEXT, Voice("me", np.zeros(256, np.float32), 5.0)))


def test_the_only_voice_of_a_bundle_is_its_default(synthesizer, voice, monkeypatch, tmp_path):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    with pytest.raises(VoiceError, match="has no voice yet"):
        synthesizer.voice("default")
    folder = synthesizer.bundle.voices_folder
    folder.mkdir()
    path = folder / "somebody.voice"
    try:
        dataclasses.replace(voice, about={"origin": "stock: nobody"}).save(path)
        found = synthesizer.voice("default")
    finally:
        path.unlink()
        folder.rmdir()
    assert found.name == "somebody"
    np.testing.assert_array_equal(found.reference.prompt, voice.reference.prompt)


def test_the_door_opens_it():
    assert open_synthesizer(bundle_of(precision="int8")).sample_rate_hz == 32_000


def test_short_texts_begin_and_all_end_with_a_full_stop():
    def spoken(*symbols):
        return completed(Phonemes(symbols, (0,) * len(symbols), ("w",), "en")).symbols

    assert spoken("a", "b") == (".", "a", "b", ".")
    assert spoken(*"abcdef") == (*"abcdef", ".")
    assert spoken(*"abcdef", "!") == (*"abcdef", "!")
