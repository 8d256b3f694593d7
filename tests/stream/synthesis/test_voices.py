import numpy as np
import pytest
from fakes_trust import agreed

from selftalk.stream.errors import VoiceError
from selftalk.stream.synthesis.voices import Voice, check_voice_name, find_voice, list_voices


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))


@pytest.fixture
def voice():
    return Voice("mila", np.arange(4, dtype=np.float32), 5.1, {"description": "warm"})


def test_round_trip(tmp_path, voice):
    voice.save(tmp_path / "mila.voice")
    read = Voice.load(tmp_path / "mila.voice")
    assert (read.name, read.about) == (voice.name, voice.about)
    assert read.mean_log_pitch == pytest.approx(5.1)
    np.testing.assert_array_equal(read.speaker, voice.speaker)


def test_the_same_voice_gives_the_same_bytes(tmp_path, voice):
    voice.save(tmp_path / "a.voice")
    voice.save(tmp_path / "b.voice")
    assert (tmp_path / "a.voice").read_bytes() == (tmp_path / "b.voice").read_bytes()


def test_own_voices_hide_shipped_ones(tmp_path, voice):
    shipped, own = tmp_path / "shipped", tmp_path / "home" / "voices"
    shipped.mkdir()
    own.mkdir(parents=True)
    voice.save(shipped / "mila.voice")
    agreed(Voice("mila", voice.speaker, 5.5)).save(own / "mila.voice")
    assert list(list_voices(shipped)) == ["mila"]
    assert find_voice("mila", shipped).mean_log_pitch == pytest.approx(5.5)


def test_an_unknown_voice_is_never_replaced_by_another(tmp_path, voice):
    voice.save(tmp_path / "mila.voice")
    with pytest.raises(VoiceError, match="unknown voice 'nobody'; known: mila"):
        find_voice("nobody", tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04garbage", b"\xff" * 100])
def test_damaged_files_are_one_sentence(tmp_path, content):
    (tmp_path / "bad.voice").write_bytes(content)
    with pytest.raises(VoiceError, match="not a voice file"):
        Voice.load(tmp_path / "bad.voice")


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "-x", "x" * 65, "ä"])
def test_names_that_cannot_be_files(name):
    with pytest.raises(VoiceError, match="cannot name a voice"):
        check_voice_name(name)
