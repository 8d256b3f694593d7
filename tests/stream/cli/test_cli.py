"""The command line: results on stdout, one sentence on stderr and exit code 2 for bad input."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from selftalk.stream.cli import build_parser, main, parse
from selftalk.stream.config import load_config
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.talk import load_synthesizer

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))
    folder = Path(shutil.copytree(TINY, tmp_path / "bundle"))
    (folder / "voices").mkdir()
    stock = Voice("default", np.full(256, 1 / 16, np.float32), 5.0, {"origin": "stock"})
    stock.save(folder / "voices/default.voice")
    return folder


def test_say_writes_a_file_and_one_json_object(bundle, tmp_path, capsys):
    out = tmp_path / "hello.wav"
    code = main(["say", "Hello there.", "-o", str(out), "--bundle", str(bundle), "--json"])
    result = json.loads(capsys.readouterr().out)
    assert code == 0
    assert result["text"] == "Hello there."
    assert result["voice"] == "default"
    assert result["path"] == str(out)
    assert result["first_audio_ms"] > 0
    assert result["rtf"] > 0
    assert soundfile.info(out).duration == pytest.approx(result["audio_seconds"], abs=1e-3)


def test_say_reads_standard_input(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"One. Two.")))
    out = tmp_path / "a.wav"
    assert main(["say", "-", "-o", str(out), "--bundle", str(bundle)]) == 0
    assert out.exists()


@pytest.fixture
def asked_to_be_exact(monkeypatch):
    """Of each utterance, whether its sentence was to be known before its first sound."""
    stream, asked = NanoSynthesizer.stream, []

    def watched(self, *arguments, options=None, **named):
        asked.append((options or self.options).exact)
        return stream(self, *arguments, options=options, **named)

    monkeypatch.setattr(NanoSynthesizer, "stream", watched)
    return asked


def test_who_has_time_hears_sentences_that_were_known_to_their_end(
    bundle, tmp_path, asked_to_be_exact
):
    book = tmp_path / "book.txt"
    book.write_text("Hello there.")
    named = ["--bundle", str(bundle)]
    said = ["say", "Hello there.", "-o", str(tmp_path / "a.wav"), *named]
    for order in (said, [*said, "--exact"], ["read", str(book), "-o", str(tmp_path / "b.mp3")]):
        asked_to_be_exact.clear()
        assert main([*order, *named]) == 0
        assert asked_to_be_exact[-1] is (order is not said)
    settings = [f"voice.bundle={bundle}", "voice.exact=true"]
    assert load_synthesizer(load_config(overrides=settings)).options.exact


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["say", " "], "there is no text to say"),
        (["say", "…"], "nothing that can be spoken"),
        (["say", "hello", "--voice", "nobody"], "unknown voice 'nobody'; known: default"),
        (["say", "すし", "--language", "ja"], "does not speak 'ja'; it speaks en, zh"),
    ],
)
def test_what_cannot_be_said_is_one_sentence(bundle, tmp_path, capsys, arguments, sentence):
    out = tmp_path / "a.wav"
    code = main([*arguments, "-o", str(out), "--bundle", str(bundle)])
    printed = capsys.readouterr()
    assert code == 2
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not out.exists()


@pytest.mark.parametrize("command", ["transcribe", "talk"])
@pytest.mark.parametrize("content", [None, b"", b"not audio at all"])
def test_recordings_that_cannot_be_read(tmp_path, capsys, command, content):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    arguments = ["--mic", str(path), "--fast"] if command == "talk" else [str(path)]
    assert main([command, *arguments]) == 2
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--self", "nobody"], "there is no self 'nobody'"),
        (["--config", "nowhere.toml"], "neither a file nor one of the shipped configs"),
        (["--set", "audio.colour=1"], "unknown key 'colour'"),
    ],
)
def test_settings_that_do_not_exist(capsys, arguments, sentence):
    assert main(["talk", "--mic", "x.wav", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_voices_are_listed(bundle, capsys):
    assert main(["voices", "--bundle", str(bundle), "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["voice"], line["pitch_hz"], line["own"]) == ("default", 148, False)


def test_no_command_shows_the_help(capsys):
    assert main([]) == 2
    assert "say" in capsys.readouterr().out


def test_files_may_stand_behind_the_options():
    parser = build_parser()
    for order in ("one.wav two.wav --language zh", "--language zh one.wav two.wav"):
        options = parse(parser, ["record", "me", *order.split()])
        assert options.files == [Path("one.wav"), Path("two.wav")]
        assert options.language == "zh"


def test_what_no_command_knows_is_refused(capsys):
    for unknown in (["record", "me", "one.wav", "--loud"], ["doctor", "one.wav"]):
        with pytest.raises(SystemExit):
            parse(build_parser(), unknown)
        assert f"unrecognized arguments: {unknown[-1]}" in capsys.readouterr().err


@pytest.mark.parametrize("speed", ["0", "9", "fast"])
def test_a_wrong_option_is_refused_by_the_parser(speed):
    with pytest.raises(SystemExit) as caught:
        main(["say", "hi", "--speed", speed])
    assert caught.value.code == 2
