"""Names that clients send open nothing outside the folders of voices: 500 attempts and more."""

import itertools
import sys

import numpy as np
import pytest

from selftalk.stream.errors import VoiceError
from selftalk.stream.server.shelf import named
from selftalk.stream.synthesis.voices import Voice, find_voice, list_voices

TARGETS = (
    "/etc/passwd", "etc/passwd", "secret", "secret.voice", "../secret.voice", "voices/../secret",
    "C:\\Windows\\win.ini", "\\\\host\\share\\secret", "con", "nul.voice", "~/secret",
    "$HOME/secret", "file:///etc/passwd", "me/../../secret", ".", "..", "...", ".hidden",
)  # fmt: skip
DISGUISES = (
    str, str.upper, lambda one: one.replace("/", "%2F"), lambda one: one.replace("/", "%252f"),
    lambda one: one.replace(".", "%2e"), lambda one: one.replace("/", "\\"),
    lambda one: one.replace("/", "／"), lambda one: one.replace("..", "．．"),
    lambda one: one.replace("/", "//"), lambda one: one.replace("/", "/./"),
)  # fmt: skip
FRAMES = ("{}", "../{}", "..\\{}", "./{}", "me/../{}", "{}\0", "{}\0.voice", "{}.", "{} ", " {}")
ATTEMPTS = sorted(
    {
        frame.format(disguise(target))
        for target, disguise, frame in itertools.product(TARGETS, DISGUISES, FRAMES)
    }
    | {"", "a" * 4096, "../" * 1000 + "secret", "m\u0065\u0301", "m\u00e9", "me\n", "ｍe"}
)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of voices, and beside it a secret."""
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))
    folder = tmp_path / "voices"
    folder.mkdir()
    voice = Voice("me", np.zeros(4, np.float32), 5.0, {"origin": "stock"})
    voice.save(folder / "me.voice")
    voice.save(tmp_path / "secret.voice")
    return folder


@pytest.fixture
def opened():
    paths, listening = [], [True]

    def hear(event, arguments):
        if event == "open" and listening:
            paths.append(str(arguments[0]))

    sys.addaudithook(hear)  # there is no way to take it back, only to stop listening
    yield paths
    listening.clear()


def test_there_are_enough_attempts():
    assert len(ATTEMPTS) >= 500
    assert "me" not in ATTEMPTS


def test_voices_are_found_by_name_only(shipped, opened):
    for attempt in ATTEMPTS:
        with pytest.raises(VoiceError):
            find_voice(attempt, shipped)
    assert not opened
    assert find_voice("me", shipped).name == "me"


def test_paths_of_gpt_sovits_mean_known_names_or_nothing(shipped, opened):
    known = list_voices(shipped)
    found = {attempt for attempt in ATTEMPTS if named(attempt, known) is not None}
    assert found == set()
    assert not opened
    assert named("D:/references/Me.wav", known) == "me"
