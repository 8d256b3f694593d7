import fakes_studio as fakes
import numpy as np
import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.studio.guide import (
    AGAIN,
    KEEP,
    LONGEST_SECONDS,
    STOP,
    Guide,
    TakeRecorder,
    meter,
)
from selftalk.stream.studio.prompts import LANGUAGES, Prompt, prompts_of
from selftalk.stream.text import phonemize

PROMPTS = (Prompt("Hello there, my friend.", "neutral"), Prompt("And what now?", "lively"))


class LoudnessVad:
    frame_samples = 512

    def push(self, frame):
        return float(np.abs(frame).max() > 0.1)

    def reset(self):
        pass


def push_all(recorder, *seconds, rate=48_000, chunk=960):
    """Loud where positive, silent where negative, until the recorder has enough."""
    samples = np.concatenate(
        [np.full(round(abs(s) * rate), 0.5 if s > 0 else 0, np.float32) for s in seconds]
    )
    for start in range(0, len(samples), chunk):
        recorder.push(AudioChunk(samples[start : start + chunk], rate))
        if recorder.ended:
            break
    return recorder.audio().duration_seconds


def test_a_take_ends_after_speech_and_silence():
    recorder = TakeRecorder(LoudnessVad(), 48_000)
    assert push_all(recorder, -3, 2, -0.8, 1, -5) == pytest.approx(3 + 2 + 0.8 + 1 + 1.2, abs=0.1)


def test_a_take_does_not_last_forever():
    assert push_all(TakeRecorder(LoudnessVad(), 48_000), 40) == pytest.approx(
        LONGEST_SECONDS, abs=0.1
    )


def test_the_pieces_of_a_take_do_not_matter():
    lengths = [
        push_all(TakeRecorder(LoudnessVad(), 48_000), 1, -3, chunk=chunk)
        for chunk in (480, 960, 2400)
    ]
    assert max(lengths) - min(lengths) < 0.051  # a chunk of the longest kind


def test_the_meter_is_fuller_when_it_is_louder():
    bars = [meter(dbfs).count("|") for dbfs in (-120, -60, -40, -20, 0)]
    assert bars == sorted(bars)
    assert (bars[0], bars[-1]) == (0, 30)


def guide(answers, shown, recognizer=None, take=None):
    audio = take.audio if take else fakes.clean_take("unless_to_be").audio
    remaining = iter(answers)
    found = []

    def ask(findings):
        found.append([finding.check for finding in findings])
        return next(remaining)

    made = Guide(
        load_vad("webrtc"),
        recognizer or fakes.PlainRecognizer("hello there my friend"),
        "en",
        lambda: audio,
        ask,
        lambda number, count, prompt: shown.append((number, count, prompt.text)),
    )
    return made, found


def test_each_prompt_becomes_a_take_and_may_be_repeated():
    shown = []
    made, found = guide([AGAIN, KEEP, KEEP], shown)
    takes, read = made.record(PROMPTS)
    assert [number for number, _, _ in shown] == [1, 1, 2]
    assert [take.name for take in takes] == ["prompt 1", "prompt 2"]
    assert read == {"prompt 1": PROMPTS[0].text, "prompt 2": PROMPTS[1].text}
    assert found == [[], [], ["text"]]


def test_one_may_stop_early():
    made, _ = guide([KEEP, STOP], [])
    assert len(made.record(PROMPTS)[0]) == 1


def test_a_bad_take_is_told_at_once():
    made, found = guide([KEEP], [], take=fakes.clipped(fakes.clean_take("unless_to_be")))
    made.record(PROMPTS[:1])
    assert found == [["clipping"]]


def test_silence_is_told():
    silence = AudioChunk(np.zeros(32_000, np.float32), 16_000)
    made, found = guide(
        [STOP], [], take=fakes.with_samples(fakes.clean_take("unless_to_be"), silence.samples)
    )
    assert made.record(PROMPTS) == ([], {})
    assert found == [["speech"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_has_every_mood(language):
    script = prompts_of(language)
    assert [prompt.style for prompt in script] == sorted(
        (prompt.style for prompt in script), key=["neutral", "lively", "tired"].index
    )
    assert len({prompt.text for prompt in script}) == len(script) > 15


def test_the_english_script_holds_every_sound():
    sounds = {
        symbol.rstrip("012")
        for prompt in prompts_of("en")
        for symbol in phonemize(prompt.text, "en").symbols
    }
    arpabet = """AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH
        UH UW V W Y Z ZH""".split()
    assert set(arpabet) <= sounds


def test_the_chinese_script_holds_every_initial_and_tone():
    symbols = [
        symbol for prompt in prompts_of("zh") for symbol in phonemize(prompt.text, "zh").symbols
    ]
    initials = "b p m f d t n l g k h j q x zh ch sh r z c s".split()
    assert set(initials) <= set(symbols)
    assert {symbol[-1] for symbol in symbols if symbol[-1:].isdigit()} >= set("12345")


def test_an_unknown_language_tells_the_way_out():
    with pytest.raises(ConfigError, match="record files instead"):
        prompts_of("fr")
