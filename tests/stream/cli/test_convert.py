import json
from pathlib import Path

import numpy as np
import pytest
from fakes_trust import agreed

from selftalk.stream.cli import convert, main
from selftalk.stream.nano.content import Content
from selftalk.stream.nano.speech_prosody import Prosody
from selftalk.stream.sound.audio import AudioChunk, read_audio, write_wav
from selftalk.stream.synthesis.voices import Voice, voices_folder
from selftalk.stream.trust.labels import read_label

ME = Voice("me", np.full(256, 1 / 16, np.float32), 5.0)
TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"


class Listener:
    def __init__(self, bundle):
        pass

    def tokens(self, samples, prosody):
        return np.zeros(len(samples) // 640, np.int64)

    def encode(self, chunk):
        tokens = len(chunk) // 640
        return Content(np.zeros(tokens, np.int64), Prosody(np.zeros((4 * tokens, 3)), 5.0))


@pytest.mark.parametrize("live", [(), ("--live",)])
def test_a_recording_comes_out_as_long_and_labelled(live, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(convert, "ContentEncoder", Listener)
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    voices_folder().mkdir(parents=True)
    agreed(ME).save(voices_folder() / "me.voice")
    noise = np.random.default_rng(0).standard_normal(32_000).astype(np.float32) * 0.1
    write_wav(tmp_path / "in.wav", AudioChunk(noise, 16_000))
    files = (tmp_path / "in.wav", "-o", tmp_path / "out.wav")
    options = ("--voice", "me", "--bundle", TINY, "--json", *live)
    assert main(list(map(str, ("convert", *files, *options)))) == 0
    told = json.loads(capsys.readouterr().out)
    assert ("delay_seconds" in told) == bool(live)
    made = read_audio(tmp_path / "out.wav")
    assert made.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert read_label((tmp_path / "out.wav").read_bytes()) is not None


@pytest.mark.parametrize("arguments", [(), ("in.wav",), ("in.wav", "--live"), ("-o", "out.wav")])
def test_half_of_what_is_needed_is_told_in_a_sentence(arguments, capsys):
    assert main(["convert", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("selftalk: convert needs a recording and -o OUT.wav")
    assert told.count("\n") == 1
