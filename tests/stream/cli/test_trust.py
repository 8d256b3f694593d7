import importlib.util
import io
import json
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fakes_trust import agreed, mp4_with

from selftalk.stream.cli import consent, main
from selftalk.stream.errors import ConsentError, MisheardError
from selftalk.stream.sound.audio import AudioChunk, write_wav
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.voices import Voice, find_voice, voices_folder
from selftalk.stream.trust.aigc import AigcLabel, new_label
from selftalk.stream.trust.audit import AuditLog
from selftalk.stream.trust.cue import rhythm_cue
from selftalk.stream.trust.labels import label_file
from selftalk.stream.trust.receipts import read_receipt

LABEL = new_label("selftalk", "0123")
TINY = Path(__file__).parent.parent.parent / "data" / "bundle_tiny"
ME = Voice("me", np.full(256, 1 / 16, np.float32), 5.0)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))
    voices_folder().mkdir(parents=True)
    return tmp_path / "home"


def save(voice):
    voice.save(voices_folder() / f"{voice.name}.voice")
    return voice


def say(tmp_path, *more):
    arguments = ["say", "Hello.", "--voice", "me", "--bundle", str(TINY), "-o"]
    return main([*arguments, str(tmp_path / "out.wav"), *more])


@pytest.mark.parametrize(
    ("voice", "reason"),
    [
        (lambda: ME, "without a receipt of consent"),
        (lambda: replace(ME, about={"receipt": "0" * 32}), "cannot be read"),
        (lambda: agreed(ME, expires_at=datetime(2026, 1, 1, tzinfo=UTC)), "expired on 2026-01-01"),
        (lambda: agreed(ME, "somebody"), "that of voice 'somebody'"),
    ],
)
def test_say_refuses_a_voice_without_consent_in_one_sentence(tmp_path, capsys, voice, reason):
    save(voice())
    assert say(tmp_path) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("selftalk: voice 'me' may not speak: ")
    assert reason in line
    assert not (tmp_path / "out.wav").exists()


def test_say_refuses_an_edited_receipt(tmp_path, capsys, home):
    voice = save(agreed(ME))
    path = home / "trust/receipts" / f"{voice.about['receipt']}.json"
    path.write_bytes(path.read_bytes().replace(b"Ada", b"Eve"))
    assert say(tmp_path) == 2
    assert "was changed" in capsys.readouterr().err


def test_what_is_said_is_labelled_and_detected(tmp_path, capsys):
    save(agreed(ME))
    assert say(tmp_path, "--cue", "rhythm") == 0
    capsys.readouterr()
    assert main(["detect", str(tmp_path / "out.wav")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["synthetic"] is True
    assert found["confidence"] == 1.0
    assert found["label"]["ContentProducer"] == "selftalk"
    assert found["cue"]["found"] is True
    assert found["cue"]["start_seconds"] == pytest.approx(0, abs=0.1)
    assert set(found["watermark"]) == {"found", "confidence", "share", "judged", "speed"}


def test_detect_finds_nothing_in_noise(tmp_path, capsys):
    noise = np.float32(0.1 * np.random.default_rng(0).standard_normal(16_000))
    write_wav(tmp_path / "noise.wav", AudioChunk(noise, 16_000))
    assert main(["detect", str(tmp_path / "noise.wav")]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["synthetic"], found["confidence"], found["label"]) == (False, 0.0, None)


def test_a_label_alone_and_a_cue_alone_are_enough(tmp_path, capsys):
    noise = np.float32(0.1 * np.random.default_rng(0).standard_normal(16_000))
    write_wav(tmp_path / "label.wav", AudioChunk(noise, 16_000))
    label_file(tmp_path / "label.wav")
    write_wav(tmp_path / "cue.wav", AudioChunk(rhythm_cue(16_000), 16_000))
    assert main(["detect", str(tmp_path / "label.wav")]) == 0
    assert main(["detect", str(tmp_path / "cue.wav")]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["cue"]["found"], second["cue"]["found"]) == (False, True)
    assert second["label"] is None


@pytest.fixture
def without_av(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "av" else found(name)
    )


def test_the_label_of_an_m4b_is_read_where_it_cannot_be_heard(tmp_path, capsys, without_av):
    (tmp_path / "book.m4b").write_bytes(mp4_with("AIGC", LABEL.to_json()))
    assert main(["detect", str(tmp_path / "book.m4b")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["label"]["ProduceID"] == LABEL.ProduceID
    assert told["watermark"]["judged"] == 0


def test_an_m4b_without_label_that_cannot_be_heard_is_refused(tmp_path, capsys, without_av):
    (tmp_path / "book.m4b").write_bytes(mp4_with("title", "A book"))
    assert main(["detect", str(tmp_path / "book.m4b")]) == 2
    assert "pip install 'selftalk[studio]'" in capsys.readouterr().err


def test_what_is_read_into_an_m4b_is_labelled_and_detected(tmp_path, capsys):
    pytest.importorskip("av")
    (tmp_path / "a.md").write_text(
        "# One\nGood morning to everybody, how did you sleep?\n# Two\nWell."
    )
    book = tmp_path / "a.m4b"
    save(agreed(ME))
    order = ["read", str(tmp_path / "a.md"), "--voice", "me", "--bundle", str(TINY)]
    assert main([*order, "-o", str(book), "--cue", "rhythm"]) == 0
    capsys.readouterr()
    assert main(["detect", str(book)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["label"]) == [field.name for field in fields(AigcLabel)]
    assert told["cue"]["found"]


@pytest.mark.parametrize("content", [None, b"", b"no sound at all"])
def test_detect_refuses_what_is_no_audio(tmp_path, capsys, content):
    path = tmp_path / "file.wav"
    if content is not None:
        path.write_bytes(content)
    assert main(["detect", str(path)]) == 2
    assert capsys.readouterr().err.startswith("selftalk: ")


def test_audit_verify_tells_by_its_exit_code(capsys):
    assert main(["audit", "verify"]) == 0
    AuditLog().append("spoken", voice="me")
    AuditLog().append("spoken", voice="me")
    assert main(["audit", "verify", "--json"]) == 0
    AuditLog().path.write_bytes(AuditLog().path.read_bytes().replace(b'"me"', b'"ye"', 1))
    assert main(["audit", "verify"]) == 1
    assert "line 2 does not continue the line before it" in capsys.readouterr().out


def test_audit_show_prints_every_line(capsys):
    AuditLog().append("spoken", voice="me")
    assert main(["audit", "show"]) == 0
    assert json.loads(capsys.readouterr().out)["voice"] == "me"


def test_consent_is_listed_and_withdrawn(tmp_path, capsys):
    voice = save(agreed(ME))
    assert main(["consent", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == voice.about["receipt"]
    assert main(["consent", "withdraw", "me"]) == 0
    assert "may not speak any more" in capsys.readouterr().out
    assert say(tmp_path) == 2
    assert "withdrawn by its owner" in capsys.readouterr().err


def test_an_invalid_receipt_is_listed_as_such(capsys, home):
    voice = agreed(ME)
    (home / "trust/receipts" / f"{voice.about['receipt']}.json").write_bytes(b"{}")
    assert main(["consent", "list"]) == 1
    assert capsys.readouterr().out.startswith("invalid: ")


def test_nobody_can_withdraw_what_was_not_agreed_to(capsys):
    assert main(["consent", "withdraw", "me"]) == 2
    assert "nobody has agreed to a voice 'me'" in capsys.readouterr().err


def test_consent_without_clips_or_a_person_is_refused(capsys, monkeypatch, tmp_path):
    give = ["consent", "give", "me", "--person", "Ada", "--purpose", "a test"]
    assert main(give) == 2
    assert "name with --clips" in capsys.readouterr().err
    clip = tmp_path / "clip.wav"
    write_wav(clip, AudioChunk(np.full(16_000, 0.1, np.float32), 16_000))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main([*give, "--clips", str(clip), "--recording", str(tmp_path / "x.wav")]) == 2
    output = capsys.readouterr()
    assert "My name is Ada" in output.err
    assert "a person at a terminal" in output.err


class Agrees:
    """A session that believes everything."""

    def __init__(self, voice, *args, **kwargs):
        self.voice = voice

    def challenge(self, language):
        return type("Challenge", (), {"valid_seconds": 120.0, "sentence": "I agree."})()

    def check(self, recording, challenge, clips):
        given = agreed(replace(ME, name=self.voice))
        return read_receipt(given.about["receipt"])


def test_a_given_consent_lets_the_voice_speak(tmp_path, monkeypatch, capsys):
    save(ME)
    sentence = tmp_path / "sentence.wav"

    def record(_):
        soundfile.write(sentence, np.zeros(16_000), 16_000)

    monkeypatch.setattr(consent, "consent_session", Agrees)
    monkeypatch.setattr(consent, "_wait_for_enter", record)
    write_wav(tmp_path / "clip.wav", AudioChunk(np.zeros(16_000, np.float32), 16_000))
    give = ["consent", "give", "me", "--person", "Ada", "--purpose", "a test"]
    give += ["--clips", str(tmp_path / "clip.wav"), "--recording", str(sentence)]
    assert main(give) == 0
    assert "agreed until" in capsys.readouterr().out
    assert find_voice("me", Bundle.load(TINY).voices_folder).name == "me"


def test_a_voice_of_an_imported_model_gets_its_receipt_too(home):
    folder = home / "bundles/model/voices"
    folder.mkdir(parents=True)
    for name in ("me", "meg"):
        replace(ME, name=name).save(folder / f"{name}.voice")
    receipt = read_receipt(agreed(ME).about["receipt"])
    assert consent.attach("me", receipt)
    assert find_voice("me", folder).about["receipt"] == receipt.id
    assert "receipt" not in Voice.load(folder / "meg.voice").about
    assert not consent.attach("nobody", receipt)


def test_a_recording_from_before_is_refused(tmp_path, monkeypatch):
    sentence = tmp_path / "sentence.wav"
    soundfile.write(sentence, np.zeros(16_000), 16_000)
    monkeypatch.setattr(consent, "_wait_for_enter", lambda _: None)
    with pytest.raises(ConsentError, match="not recorded after the sentence was shown"):
        consent.answer(Agrees("me"), None, [], sentence)


class Mishears(Agrees):
    """A session that understands only what is said after so many attempts."""

    attempts = 0

    def check(self, recording, challenge, clips):
        self.attempts -= 1
        if self.attempts >= 0:
            raise MisheardError("the words were not understood")
        return super().check(recording, challenge, clips)


@pytest.mark.parametrize(("attempts", "code"), [(1, 0), (2, 2)])
def test_who_is_misheard_may_try_once_more(tmp_path, monkeypatch, capsys, attempts, code):
    save(ME)
    shown = []

    def record(_):
        shown.append(1)
        soundfile.write(tmp_path / "sentence.wav", np.zeros(16_000 + len(shown)), 16_000)

    monkeypatch.setattr(Mishears, "attempts", attempts)
    monkeypatch.setattr(consent, "consent_session", Mishears)
    monkeypatch.setattr(consent, "_wait_for_enter", record)
    write_wav(tmp_path / "clip.wav", AudioChunk(np.zeros(16_000, np.float32), 16_000))
    give = ["consent", "give", "me", "--person", "Ada", "--purpose", "a test"]
    give += ["--clips", str(tmp_path / "clip.wav"), "--recording", str(tmp_path / "sentence.wav")]
    assert main(give) == code
    assert len(shown) == 2
    assert "Once more, with a new sentence" in capsys.readouterr().err


def test_who_is_refused_may_not(monkeypatch):
    def refuse(*_):
        raise ConsentError("another voice")

    session = Agrees("me")
    monkeypatch.setattr(consent, "answer", refuse)
    with pytest.raises(ConsentError, match="another voice"):
        consent.ask(session, "en", [], None)


def test_voices_are_listed_with_what_keeps_them_silent_and_deleted(capsys):
    save(ME)
    save(agreed(replace(ME, name="you")))
    assert main(["voices", "--bundle", str(TINY), "--json"]) == 0
    listed = {line["voice"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (listed["me"]["may_speak"], listed["you"]["may_speak"]) == (False, True)
    assert listed["you"]["scope"] == ["speech"]
    assert "expires_at" in listed["you"]
    assert "expires_at" not in listed["me"]
    assert main(["voices", "delete", "you"]) == 0
    assert "'you' is gone" in capsys.readouterr().out
    assert not (voices_folder() / "you.voice").exists()
    assert main(["voices", "delete", "you"]) == 2


def test_the_list_tells_what_for_and_until_when_and_reminds_in_time(capsys):
    soon, late = datetime.now(UTC) + timedelta(days=9.5), datetime.now(UTC) + timedelta(days=90)
    save(agreed(ME, expires_at=soon))
    save(agreed(replace(ME, name="you"), expires_at=late))
    assert main(["voices", "--bundle", str(TINY), "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    mine, yours = (next(one for one in lines if one.split()[0] == name) for name in ("me", "you"))
    assert f"for a test, until {soon:%Y-%m-%d}: 9 days left" in mine
    assert "`selftalk consent give me` renews it" in mine
    assert yours.endswith(f"for a test, until {late:%Y-%m-%d}")
