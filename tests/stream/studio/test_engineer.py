import fakes_studio as fakes
import numpy as np
import pytest

from selftalk.stream.errors import AudioFileError
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.studio.engineer import Engineer, check_length, syllables, was_read
from selftalk.stream.studio.take import Take, take_of


class OneSpeaker:
    def embed(self, chunk):
        del chunk
        return np.array([1, 0], np.float32)


def engineer(**more):
    return Engineer(OneSpeaker(), fakes.PlainRecognizer(), **more)


def test_a_clean_take_becomes_a_recording():
    told = []
    recording = engineer(tell=lambda what, share: told.append(what)).prepare(
        "me", [fakes.clean_take("unless_to_be")]
    )
    assert recording.report.find("noise").verdict == "good"
    assert recording.report.find("speaker").verdict == "good"
    assert recording.report.find("length").verdict == "usable"
    assert recording.slices[0].text.startswith("The quick")
    assert recording.slices[0].syllables_per_second > 0
    assert recording.references["neutral"] == (0,)
    assert told[0] == "checking"
    assert "writing down" in told


def test_a_prompt_is_the_text_of_what_was_read():
    prompt = "The quick brown fox jumped over the lazy dog!"
    recording = engineer(prompts={"unless_to_be": prompt}).prepare(
        "me", [fakes.clean_take("unless_to_be")]
    )
    assert {piece.text for piece in recording.slices} == {prompt}
    other = engineer(prompts={"unless_to_be": "Something else altogether, my dear."})
    assert "quick" in other.prepare("me", [fakes.clean_take("unless_to_be")]).slices[0].text


def test_the_worst_take_gives_the_verdict_and_is_named():
    clean = fakes.clean_take("unless_to_be")
    report = engineer().prepare("me", [clean, fakes.noisy(clean), clean]).report
    assert report.find("noise").verdict != "good"
    assert report.find("noise").sentence.startswith("unless_to_be:")


def test_what_nobody_said_is_left_out():
    silent = Engineer(OneSpeaker(), fakes.PlainRecognizer(""))
    with pytest.raises(AudioFileError, match="--language"):
        silent.prepare("me", [fakes.clean_take("unless_to_be")])


def test_what_is_not_understood_is_left_out_and_told():
    class Forgetful(fakes.PlainRecognizer):
        heard = 0

        def transcribe(self, chunk, language=None, stop=None):
            self.heard += 1
            self.text = "" if self.heard > 1 else "The quick brown fox."
            return super().transcribe(chunk, language, stop)

    clean = fakes.clean_take("unless_to_be")
    recording = Engineer(OneSpeaker(), Forgetful()).prepare("me", [clean, clean])
    finding = recording.report.find("words")
    assert (len(recording.slices), finding.verdict) == (1, "bad")
    assert finding.measured == pytest.approx(50)
    assert recording.report.find("length").measured == recording.speech_seconds


def test_silence_is_one_sentence():
    silence = take_of("none", AudioChunk(np.zeros(32_000, np.float32), 16_000), load_vad("webrtc"))
    with pytest.raises(AudioFileError, match="nobody speaks"):
        engineer().prepare("me", [silence])


def test_single_words_are_not_enough():
    words = Take("words", fakes.clean_take("unless_to_be").audio, ((0, 12_000),))
    with pytest.raises(AudioFileError, match="two seconds"):
        engineer().prepare("me", [words])


@pytest.mark.parametrize(("seconds", "verdict"), [(5, "usable"), (60, "good")])
def test_length_is_judged(seconds, verdict):
    assert check_length(seconds).verdict == verdict


@pytest.mark.parametrize(
    ("text", "count"), [("hello there", 4), ("你好吗", 3), ("rhythm", 1), ("42", 0)]
)
def test_syllables_are_counted_roughly(text, count):
    assert syllables(text) == count


def test_a_prompt_was_read_if_nearly_all_words_were_heard():
    assert was_read("The sun is up.", "the son is up", "en")
    assert not was_read("The sun is up.", "good night", "en")
    assert was_read("今天天气真好。", "今天天气真好", "zh")
