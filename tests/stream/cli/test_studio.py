"""`record`, `enroll` and `read` from the command line, with the shipped encoder and tiny fakes."""

import json
from datetime import UTC, datetime, timedelta

import fakes_studio as fakes
import numpy as np
import pytest

from selftalk.stream.cli import enroll, main, read, record
from selftalk.stream.errors import ConsentError
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.studio.enrolment import speech_of, zero_shot_voice
from selftalk.stream.studio.recording import load_recording
from selftalk.stream.synthesis import bundle as bundle_module
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.voices import Voice, find_voice, voices_folder
from selftalk.stream.trust.receipts import Receipt, packed, write_receipt

SPEECH = str(fakes.ROOT / "tests/data/unless_to_be.flac")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))
    for module in (enroll, record):
        monkeypatch.setattr(module, "load_vad", lambda: load_vad("webrtc"))
    monkeypatch.setattr(record, "load_recognizer", lambda *_: fakes.PlainRecognizer())
    return tmp_path


def give_consent(voice="me", days=1):
    """A receipt of whoever reads in the recordings of the tests."""
    encoder = SpeakerEncoder(default_bundle().graph_path("speaker"))
    pieces = speech_of([fakes.clean_take("unless_to_be")])
    speaker = zero_shot_voice(voice, pieces, encoder, {})[0].speaker
    now = datetime.now(UTC)
    write_receipt(
        Receipt(
            id="0" * 32, voice=voice, person="Ada", purpose="tests", scope=("speech",),
            language="en", issued_at=now - timedelta(days=9), expires_at=now + timedelta(days=days),
            statement_sha256="", transcript="", clips_sha256=(), similarity=0.9,
            speaker=packed(speaker),
        )
    )  # fmt: skip


def test_a_recording_is_checked_and_kept(capsys):
    assert main(["record", "me", SPEECH, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "usable"  # it is short
    assert load_recording("me").slices[0].text.startswith("The quick")


@pytest.mark.parametrize("arguments", [["me", "no.wav"], ["../me", SPEECH]])
def test_bad_orders_to_record_are_one_sentence(arguments, capsys):
    assert main(["record", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_nobody_is_enrolled_without_consent(capsys):
    assert main(["enroll", "me", SPEECH]) == 2
    assert "without its owner's consent" in capsys.readouterr().err
    assert not voices_folder().exists()


def test_a_consent_that_ended_does_not_hold(capsys):
    give_consent(days=-1)
    assert main(["enroll", "me", SPEECH]) == 2
    assert not voices_folder().exists()


def test_the_consent_to_another_voice_does_not_hold():
    give_consent("other")
    assert main(["enroll", "me", SPEECH]) == 2


def test_a_consent_that_was_given_enrols_at_once(capsys):
    give_consent()
    assert main(["enroll", "me", SPEECH, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    voice = find_voice("me", default_bundle().voices_folder)
    assert voice.about["receipt"] == told["receipt"] == "0" * 32
    assert told["pitch_hz"] == pytest.approx(np.exp(voice.mean_log_pitch), abs=0.1)


def test_a_recording_can_be_enrolled():
    main(["record", "me", SPEECH])
    give_consent()
    assert main(["enroll", "me"]) == 0
    assert main(["enroll", "me", "--style", "tired"]) == 2


def test_a_refused_sentence_leaves_no_voice(monkeypatch):
    def refuse(*_):
        raise ConsentError("other digits were said")

    monkeypatch.setattr(enroll, "ask", refuse)
    order = ["enroll", "me", SPEECH, "--person", "Ada", "--purpose", "my diary"]
    assert main(order) == 2
    assert not voices_folder().exists()


@pytest.fixture
def tiny_voice(monkeypatch):
    tiny = Bundle.load(fakes.ROOT / "tests/data/bundle_tiny")
    monkeypatch.setattr(bundle_module, "default_bundle", lambda: tiny)
    monkeypatch.setattr(read, "default_bundle", lambda: tiny)
    monkeypatch.setattr("selftalk.stream.synthesis.voices.require_consent", lambda *_: None)
    monkeypatch.setattr("selftalk.stream.synthesis.labelled_synthesizer.may_speak", lambda *_: None)
    voices_folder().mkdir(parents=True)
    Voice("default", np.full(256, 1 / 16, np.float32), 5.0).save(voices_folder() / "default.voice")


def test_a_text_is_read_into_a_file_with_subtitles(tiny_voice, home, capsys):
    (home / "diary.md").write_text("# Monday\n\nIt rained.\n\n# Tuesday\n\nIt did not.\n")
    order = ["read", str(home / "diary.md"), "-o", str(home / "diary.flac"), "--json"]
    assert main([*order, "--subtitles", "srt"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [chapter["title"] for chapter in told["chapters"]] == ["Monday", "Tuesday"]
    names = {path.name for path in home.iterdir()}
    assert names == {"diary.md", "diary.flac", "diary.cue", "diary.srt", "home"}
    assert "It did not." in (home / "diary.srt").read_text()
    assert not list((home / "home/read/default").iterdir())


@pytest.mark.parametrize(
    "arguments", [["no.txt"], ["{text}", "-o", "a.doc"], ["{text}", "--voice", "nobody"]]
)
def test_bad_orders_to_read_are_one_sentence(tiny_voice, home, arguments, capsys, monkeypatch):
    monkeypatch.chdir(home)
    (home / "a.txt").write_text("Hello.")
    assert main(["read", *(word.format(text="a.txt") for word in arguments)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
