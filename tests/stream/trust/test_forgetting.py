import json

import numpy as np
import pytest
from fakes_trust import agreed

from selftalk.stream.errors import ConsentError, LabelError, VoiceError
from selftalk.stream.synthesis.voices import Voice, find_voice, voices_folder
from selftalk.stream.trust import signing
from selftalk.stream.trust.audit import AuditLog
from selftalk.stream.trust.forgetting import forget_voice
from selftalk.stream.trust.receipts import read_receipt, receipts_of

FINGERPRINTS = [bytes([number]) * 64 for number in (7, 8, 9)]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("SELFTALK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def me(home):
    """A voice with all that may have been made from it, beside another one's."""
    data, cache = home / "data/selftalk", home / "cache/selftalk"
    voices_folder().mkdir(parents=True)
    for name in ("me", "meg"):
        voice = agreed(Voice(name, np.full(256, 1 / 16, np.float32), 5.0))
        voice.save(voices_folder() / f"{name}.voice")
    for path, content in (
        (data / "recordings/me/0000.flac", FINGERPRINTS[0]),
        (data / "recordings/meg/0000.flac", b"meg"),
        (data / "models/me/deltas.safetensors", FINGERPRINTS[1]),
        (cache / "prompts/me.lively.npz", FINGERPRINTS[2]),
        (cache / "weights/me/file", b"somebody else's weights"),
        (data / "recordings/.me.x1/0000.flac", FINGERPRINTS[0]),
        (data / "bundles/model/voices/me.voice", FINGERPRINTS[1]),
        (data / "bundles/model/voices/meg.voice", b"meg"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Voice.load(voices_folder() / "me.voice")


def everything(home):
    return [path for path in home.rglob("*") if path.is_file()]


def test_nothing_of_the_voice_is_left_but_a_tombstone(home, me):
    deleted = forget_voice("me")
    assert len(deleted) == 6
    left = everything(home)
    assert not any(print_ in path.read_bytes() for path in left for print_ in FINGERPRINTS)
    assert not any(path.name.split(".")[0] == "me" for path in left if "weights" not in path.parts)
    receipt = me.about["receipt"]
    naming = [path for path in left if receipt.encode() in path.read_bytes()]
    assert [path.parent.name for path in naming] == ["tombstones"]
    tombstone = json.loads(naming[0].read_text())
    assert set(tombstone) == {"id", "voice", "ended_at", "reason"}


def test_others_stay(home, me):
    forget_voice("me")
    assert find_voice("meg", home).name == "meg"
    assert (home / "data/selftalk/recordings/meg/0000.flac").read_bytes() == b"meg"
    assert (home / "cache/selftalk/weights/me/file").exists()
    assert len(receipts_of("meg")) == 1


def test_a_voice_that_is_brought_back_may_not_speak(home, me):
    forget_voice("me")
    me.save(voices_folder() / "me.voice")
    with pytest.raises(ConsentError, match=r"ended on .*: the voice was deleted"):
        find_voice("me", home)


def test_an_edited_receipt_goes_as_well(home, me):
    path = signing.trust_folder() / "receipts" / f"{me.about['receipt']}.json"
    path.write_bytes(b"{}")
    forget_voice("me")
    assert not path.exists()
    with pytest.raises(ConsentError, match="was deleted"):
        read_receipt(me.about["receipt"])


def test_the_log_tells_of_it(me):
    forget_voice("me")
    (line,) = AuditLog().lines()
    assert (json.loads(line)["event"], json.loads(line)["voice"]) == ("voice deleted", "me")


def test_what_cannot_be_logged_is_not_deleted(home, me):
    before = len(everything(home))
    AuditLog().path.mkdir()
    with pytest.raises(LabelError):
        forget_voice("me")
    assert len(everything(home)) >= before


@pytest.mark.parametrize("name", ["nobody", "default"])
def test_a_voice_that_is_not_there(me, name):
    with pytest.raises(VoiceError, match=f"no voice of yours called '{name}'"):
        forget_voice(name)


@pytest.mark.parametrize("name", ["../data", "", "*", "a/b"])
def test_names_that_are_paths(home, me, name):
    before = everything(home)
    with pytest.raises(VoiceError, match="cannot name a voice"):
        forget_voice(name)
    assert everything(home) == before
