"""Other programs that speak, to be compared with."""

import sys

import numpy as np
import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.evaluation.held_out import Sentence
from selftalk.stream.evaluation.systems import ProgramSystem, espeak, flite

PROGRAM = """#!{python}
import sys, wave
words = sys.argv[1:]
with wave.open(words[words.index("{flag}") + 1], "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(16000)
    file.writeframes(b"\\0\\1" * len(words[-1 if "{flag}" == "-w" else words.index("-t") + 1]))
"""


def install(folder, name, flag):
    program = folder / name
    program.write_text(PROGRAM.format(python=sys.executable, flag=flag))
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("make", "name", "flag"), [(espeak, "espeak-ng", "-w"), (flite, "flite", "-o")]
)
def test_a_program_says_what_it_is_told(make, name, flag, tmp_path, monkeypatch):
    install(tmp_path, name, flag)
    monkeypatch.setenv("PATH", str(tmp_path))
    text = "-o /etc/passwd; hello"  # neither an option nor a command
    spoken = make().say(Sentence(text, "en"), "default")
    assert spoken.audio.sample_rate_hz == 16000
    assert len(spoken.audio.samples) == len(text)
    assert np.all(spoken.audio.samples > 0)
    assert spoken.first_audio_seconds == spoken.busy_seconds > 0


@pytest.mark.parametrize("make", [espeak, flite])
def test_a_program_that_is_not_there_is_named(make, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="is not installed; on Debian: apt install"):
        make()


def test_a_language_that_a_program_does_not_speak_is_refused(tmp_path, monkeypatch):
    install(tmp_path, "mute", "-w")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="mute is not asked to speak 'zh'"):
        ProgramSystem("mute", {}).say(Sentence("你好", "zh"), "default")
