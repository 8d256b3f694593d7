import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from selftalk.stream.errors import RecognizerError, WeightsError
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.listening.wer import error_rate
from selftalk.stream.listening.whisper import Whisper, read_vocabulary
from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.stop import StopFlag, Stopped

pytest.importorskip("ctranslate2")
DATA = Path(__file__).parents[2] / "data"
WORDS = [f"Ġw{n}" for n in range(40)]
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|transcribe|>"]
VOCABULARY = [*WORDS, "åľº", "¿", "Ĭ", "æ", "å¾Į", *SPECIAL]


class FakeModel:
    """Answers with the next prepared (tokens, mean log probability, no-speech probability)."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def generate(self, features, prompts, **settings):
        self.asked.append((features.shape[2], prompts[0], settings))
        tokens, score, no_speech = self.answers.pop(0)
        return [SimpleNamespace(sequences_ids=[tokens], scores=[score], no_speech_prob=no_speech)]


def recogniser(*answers, language="en"):
    model = FakeModel(*answers)
    return Whisper(model, VOCABULARY, language), model


def sound(seconds, level=0.5):
    samples = np.random.default_rng(1).uniform(-level, level, int(seconds * 16_000))
    return AudioChunk(samples.astype(np.float32), 16_000)


def test_hears_the_speech_and_two_seconds_more():
    whisper, model = recogniser(([1, 2], -0.1, 0.01))
    transcript = whisper.transcribe(sound(3))
    assert (transcript.text, transcript.language) == ("w1 w2", "en")
    assert transcript.confidence == pytest.approx(math.exp(-0.1))
    frames, prompt, settings = model.asked[0]
    assert frames == 500
    assert prompt == ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    assert settings["max_length"] == 16 + 3 * 14 + 4


def test_a_loop_is_heard_again_with_the_full_window():
    loop, good = ([1, *[2, 3, 4, 5] * 4], -0.1, 0.0), ([1, 2], -0.1, 0.0)
    whisper, model = recogniser(loop, good)
    assert whisper.transcribe(sound(3)).text == "w1 w2"
    assert [frames for frames, *_ in model.asked] == [500, 3000]


def test_a_loop_in_the_full_window_too_is_written_once():
    loop = ([1, *[2, 3, 4, 5] * 4, 6], -0.1, 0.0)
    whisper, _ = recogniser(loop, loop)
    assert whisper.transcribe(sound(3)).text == "w1 w2 w3 w4 w5 w6"


@pytest.mark.parametrize(
    ("confidence", "no_speech", "text"),
    [(0.9, 0.0, "w1"), (0.9, 0.9, "w1"), (0.4, 0.9, ""), (0.4, 0.1, "w1"), (0.1, 0.1, "")],
)
def test_doubtful_words_are_nobodys(confidence, no_speech, text):
    answer = ([1], math.log(confidence), no_speech)
    whisper, _ = recogniser(answer, answer)
    assert whisper.transcribe(sound(1)).text == text


@pytest.mark.parametrize(("second", "text"), [(0.5, "w2"), (0.3, "w1")])
def test_unsure_words_are_heard_again_and_the_surer_ones_kept(second, text):
    whisper, model = recogniser(([1], math.log(0.4), 0.1), ([2], math.log(second), 0.1))
    assert whisper.transcribe(sound(1)).text == text
    assert [frames for frames, *_ in model.asked] == [300, 3000]


def test_noise_is_not_heard_twice():
    whisper, model = recogniser(([1], math.log(0.1), 0.9))
    assert whisper.transcribe(sound(1)).text == ""
    assert len(model.asked) == 1


def test_silence_is_not_even_decoded():
    whisper, model = recogniser()
    for chunk in (sound(2, level=1e-4), sound(0.05), AudioChunk(np.zeros(0, np.float32), 16_000)):
        assert whisper.transcribe(chunk).text == ""
    assert model.asked == []


def test_long_sound_is_heard_in_pieces():
    whisper, model = recogniser(*[([n], -0.1, 0.0) for n in range(5)])
    words = whisper.transcribe(sound(70)).text.split()
    assert words == [f"w{n}" for n in range(len(model.asked))]
    assert all(frames <= 3000 for frames, *_ in model.asked)


def test_languages_are_told_and_unknown_ones_refused():
    whisper, model = recogniser(([1], -0.1, 0.0), ([1], -0.1, 0.0))
    whisper.transcribe(sound(1), "en-GB")
    assert whisper.transcribe(sound(1), "yue").language == "yue"
    assert [prompt[1] for _, prompt, _ in model.asked] == ["<|en|>", "<|zh|>"]
    with pytest.raises(RecognizerError, match="does not know the language 'tlh'"):
        whisper.transcribe(sound(1), "tlh")
    with pytest.raises(RecognizerError, match="does not know the language 'xx'"):
        recogniser(language="xx")


def test_bytes_become_characters_and_chinese_is_simplified():
    later = [VOCABULARY.index(token) for token in ("å¾Į", "åľº", "æ")]
    whisper, _ = recogniser((later, -0.1, 0.0), language="zh")
    assert (
        whisper.transcribe(sound(1)).text == "后场"
    )  # 後 written by the model, æ half a character


def test_stops_before_a_piece():
    stop = StopFlag()
    stop.set()
    whisper, model = recogniser()
    with pytest.raises(Stopped):
        whisper.transcribe(sound(1), stop=stop)
    assert model.asked == []


def test_a_folder_without_a_model_is_one_sentence(tmp_path):
    with pytest.raises(WeightsError, match="is not a Whisper model of CTranslate2"):
        Whisper.load(tmp_path)
    with pytest.raises(WeightsError, match="does not exist"):
        read_vocabulary(tmp_path / "vocabulary.txt")


@pytest.mark.weights
def test_understands_real_english():
    whisper = Whisper.load(resolve("whisper-base"))
    spoken = {
        "unless_to_be": "unless to be rather cold-hearted and rather selfish is to be ill-disposed",
        "amiable_himself": "he might even have been made amiable himself",
        "go_forward": "Go forward ten meters",
    }
    for name, text in spoken.items():
        assert (
            error_rate(text, whisper.transcribe(read_audio(DATA / f"{name}.flac")).text).rate < 0.1
        )


@pytest.mark.weights
def test_understands_chinese_in_simplified_characters():
    whisper = Whisper.load(resolve("whisper-base"), "zh")
    text = whisper.transcribe(read_audio(DATA / "good_or_bad_news_zh.flac")).text
    assert error_rate("你想先听好消息还是坏消息？我都准备好了。", text, "zh").rate < 0.12


@pytest.mark.weights
@pytest.mark.parametrize("seconds", [0.5, 2, 5])
@pytest.mark.parametrize("level", [1e-3, 0.1])
def test_the_real_model_hears_nothing_in_noise(seconds, level):
    whisper = Whisper.load(resolve("whisper-base"))
    assert whisper.transcribe(sound(seconds, level)).text == ""
    assert whisper.transcribe(sound(seconds, level), "zh").text == ""
