from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from selftalk.stream.errors import RecognizerError, WeightsError
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.listening.moonshine import BEGIN, END, Moonshine, read_vocabulary, text_of
from selftalk.stream.listening.wer import error_rate
from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.stop import StopFlag, Stopped

DATA = Path(__file__).parents[2] / "data"
HOP = 384
VOCABULARY = [b"<unk>", b"<s>", b"</s>"] + [f"▁w{n}".encode() for n in range(3, 40)]


def ports(*shapes):
    return [SimpleNamespace(name=name, shape=shape) for name, shape in shapes]


class FakeEncoder:
    """Hands the samples on, thinned out."""

    def get_outputs(self):
        return ports(("last_hidden_state", None))

    def run(self, names, inputs):
        samples = inputs["input_values"]
        assert inputs["attention_mask"].shape == samples.shape
        return [samples[:, ::HOP, None]]


class FakeDecoder:
    """Follows a script, and checks that its cache holds exactly the tokens before."""

    def __init__(self, script, certainty=20.0):
        self.script = script
        self.certainty = certainty
        self.steps = []

    def get_inputs(self):
        names = [f"past_key_values.0.{side}.key" for side in ("decoder", "encoder")]
        return ports(*((name, [1, 1, "past", 1]) for name in names))

    def get_outputs(self):
        return ports(
            ("logits", None), ("present.0.decoder.key", None), ("present.0.encoder.key", None)
        )

    def run(self, names, inputs):
        ids = inputs["input_ids"][0]
        past = inputs["past_key_values.0.decoder.key"][0, 0, :, 0]
        heard = inputs["encoder_hidden_states"]
        assert inputs["use_cache_branch"][0] == bool(len(past))
        if len(past):
            np.testing.assert_array_equal(inputs["past_key_values.0.encoder.key"], heard[:, None])
        seen = [*past.astype(int), *ids]
        self.steps.append(len(ids))
        logits = np.zeros((1, len(ids), len(VOCABULARY)), np.float32)
        for index in range(len(ids)):
            written = seen[1 : len(past) + index + 1]
            logits[0, index, self.next_token(written)] = self.certainty
        keys = np.array(seen, np.float32)[None, None, :, None]
        return [logits, keys, heard[:, None]]

    def next_token(self, written):
        follows = written == self.script[: len(written)]
        return self.script[len(written)] if follows and len(written) < len(self.script) else END


def recogniser(script, certainty=20.0):
    decoder = FakeDecoder(script, certainty)
    return Moonshine(FakeEncoder(), decoder, VOCABULARY), decoder


def sound(seconds, level=0.5, rate=16_000):
    samples = np.random.default_rng(1).uniform(-level, level, int(seconds * rate))
    return AudioChunk(samples.astype(np.float32), rate)


def test_writes_until_the_end_token():
    moonshine, decoder = recogniser([5, 6, 7])
    transcript = moonshine.transcribe(sound(1))
    assert (transcript.text, transcript.language) == ("w5 w6 w7", "en")
    assert transcript.confidence == pytest.approx(1, abs=1e-3)
    assert decoder.steps == [1, 1, 1, 1]


def test_a_draft_saves_steps_and_changes_nothing():
    moonshine, decoder = recogniser([5, 6, 7, 8])
    moonshine.transcribe(sound(1))
    decoder.steps.clear()
    assert moonshine.transcribe(sound(1)).text == "w5 w6 w7 w8"
    assert decoder.steps == [5]


@pytest.mark.parametrize("script", [[5, 6, 9, 10], [9], [5, 6, 7, 8, 9, 10], []])
def test_a_wrong_draft_is_left_where_it_is_wrong(script):
    moonshine, decoder = recogniser([5, 6, 7, 8])
    moonshine.transcribe(sound(1))
    decoder.script = script
    fresh, _ = recogniser(script)
    assert moonshine.transcribe(sound(2)) == fresh.transcribe(sound(2))


def test_endless_writing_is_cut_by_the_length_of_the_sound():
    moonshine, decoder = recogniser([3 + (n * n + n // 7) % 36 for n in range(500)])
    words = moonshine.transcribe(sound(2)).text.split()
    assert len(words) == 8 + 2 * 8
    assert len(decoder.steps) <= 25


def test_a_loop_is_written_once():
    moonshine, decoder = recogniser([5, *[6, 7, 8, 9] * 50])
    assert moonshine.transcribe(sound(9)).text == "w5 w6 w7 w8 w9"
    assert len(decoder.steps) < 16


def test_nothing_is_imagined_in_silence():
    moonshine, decoder = recogniser([5])
    for chunk in (sound(1, level=1e-4), AudioChunk(np.zeros(0, np.float32), 16_000), sound(0.05)):
        assert moonshine.transcribe(chunk).text == ""
    assert decoder.steps == []


def test_words_the_model_doubts_are_not_said():
    moonshine, _ = recogniser([5, 6], certainty=2.0)
    assert moonshine.transcribe(sound(1)).text == ""


class DoubtfulAtFirst(FakeDecoder):
    """Writes other words, more or less surely, when a longer sound is heard."""

    def __init__(self, first, second):
        super().__init__(*first)
        self.answers = {2000: first, 2000 + 8000: second}
        self.heard_samples = []

    def run(self, names, inputs):
        samples = inputs["encoder_attention_mask"].shape[1]
        self.heard_samples.append(samples)
        self.script, self.certainty = self.answers[samples]
        return super().run(names, inputs)


@pytest.mark.parametrize(
    ("first", "second", "text", "hearings"),
    [
        (([5], 20.0), ([6], 20.0), "w5", 1),
        (([5], 4.0), ([6], 20.0), "w6", 2),
        (([5], 4.5), ([6], 4.0), "w5", 2),
        (([5], 4.0), ([], 20.0), "w5", 2),
        (([], 4.0), ([6], 20.0), "", 1),
    ],
)
def test_unsure_words_are_heard_again_after_a_pause(first, second, text, hearings):
    decoder = DoubtfulAtFirst(first, second)
    moonshine = Moonshine(FakeEncoder(), decoder, VOCABULARY)
    assert moonshine.transcribe(sound(0.125)).text == text
    assert len(set(decoder.heard_samples)) == hearings


@pytest.mark.parametrize(("certainty", "text"), [(4.5, ""), (20.0, "You.")])
def test_a_doubtful_you_is_noise_and_a_clear_one_is_a_word(certainty, text):
    moonshine, _ = recogniser([5, 6], certainty)
    moonshine._vocabulary = [b""] * 5 + ["▁You".encode(), b"."] + [b"x"] * 33
    assert moonshine.transcribe(sound(1)).text == text


@pytest.mark.parametrize(
    ("words", "text"),
    [("▁Uh,▁uh", ""), ("▁Oh", ""), ("▁Oh▁yes", "Oh yes"), ("▁🎵", ""), ("▁75%", "75%")],
)
def test_a_doubtful_breath_is_noise(words, text):
    moonshine, _ = recogniser([5], 4.5)
    moonshine._vocabulary = [b""] * 5 + [words.encode()] + [b"x"] * 34
    assert moonshine.transcribe(sound(1)).text == text


def test_long_sound_is_heard_in_pieces():
    moonshine, _ = recogniser([5, 6])
    assert moonshine.transcribe(sound(70)).text == "w5 w6 w5 w6 w5 w6"


def test_other_sample_rates_are_resampled():
    moonshine, _ = recogniser([5])
    assert moonshine.transcribe(sound(1, rate=8_000)).text == "w5"


def test_other_languages_are_refused_in_one_sentence():
    moonshine, _ = recogniser([5])
    assert moonshine.transcribe(sound(1), "en-GB").text == "w5"
    with pytest.raises(RecognizerError, match="English only, not 'fr'"):
        moonshine.transcribe(sound(1), "fr")


def test_stops_between_two_tokens():
    stop = StopFlag()
    moonshine, decoder = recogniser([5, 6, 7, 8])
    step = decoder.run

    def run_and_stop(names, inputs):
        if len(decoder.steps) == 2:
            stop.set()
        return step(names, inputs)

    decoder.run = run_and_stop
    with pytest.raises(Stopped):
        moonshine.transcribe(sound(1), stop=stop)
    assert len(decoder.steps) == 3


def test_vocabulary_file(tmp_path):
    long = bytes(range(200))
    content = b"\x05<unk>" + bytes([200 % 128 + 128, 200 // 128]) + long + b"\x00" + b"\x01a"
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(content)
    assert read_vocabulary(path) == [b"<unk>", long, b"", b"a"]
    path.write_bytes(content[:-1])
    with pytest.raises(WeightsError, match="ends within a token"):
        read_vocabulary(path)
    with pytest.raises(WeightsError, match="does not exist"):
        read_vocabulary(tmp_path / "no.bin")


def test_text_joins_bytes_of_one_character_and_drops_notes():
    vocabulary = ["▁caf".encode(), "é".encode()[:1], "é".encode()[1:], "▁♪".encode(), b"\xff"]
    assert text_of([0, 1, 2, 3, 4, 99], vocabulary) == "café"


def test_begin_and_end_are_those_of_the_vocabulary():
    assert VOCABULARY[BEGIN] == b"<s>"
    assert VOCABULARY[END] == b"</s>"


@pytest.mark.weights
def test_understands_real_speech():
    moonshine = Moonshine.load(resolve("moonshine-tiny-en"))
    spoken = {
        "not_ill_disposed": "He was not an ill-disposed young man,",
        "unless_to_be": "unless to be rather cold-hearted and rather selfish is to be ill-disposed",
        "amiable_himself": "he might even have been made amiable himself.",
        "go_forward": "Go forward ten meters.",
    }
    errors = words = 0
    for name, text in spoken.items():
        rate = error_rate(text, moonshine.transcribe(read_audio(DATA / f"{name}.flac")).text)
        errors, words = errors + rate.errors, words + rate.reference_words
    assert errors / words < 0.1


@pytest.mark.weights
def test_a_draft_of_the_real_model_gives_the_same_words():
    chunk = read_audio(DATA / "amiable_himself.flac")
    moonshine = Moonshine.load(resolve("moonshine-tiny-en"))
    for seconds in (1.0, 2.0, 3.0):
        moonshine.transcribe(AudioChunk(chunk.samples[: int(16_000 * seconds)], 16_000))
    text = moonshine.transcribe(chunk).text
    assert error_rate("he might even have been made amiable himself", text).errors == 0


@pytest.mark.weights
@pytest.mark.parametrize("level", [0.0, 1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("seconds", [0.5, 2, 5])
def test_the_real_model_hears_nothing_in_noise(level, seconds):
    moonshine = Moonshine.load(resolve("moonshine-tiny-en"))
    assert moonshine.transcribe(sound(seconds, level)).text == ""
