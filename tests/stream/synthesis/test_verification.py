import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from selftalk.stream.cli import main
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.speech import SpeechChunk
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.synthesis.verification import (
    ENOUGH_DB,
    IDENTICAL_DB,
    compare,
    verdict,
    verify_streaming,
)
from selftalk.stream.synthesis.voices import Voice

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"
NOBODY = Voice("nobody", np.full(256, 1 / 16, np.float32), 5.0)
RATE_HZ = 24_000


class Fake:
    """Says a tone in chunks of 1000 samples for each token asked for, with a fault at each seam."""

    sample_rate_hz = RATE_HZ

    def __init__(self, fault, unknown=0.0):
        self.options, self.fault, self.unknown = SynthesisOptions(), fault, unknown

    def stream(self, text, voice, *, options):
        del text, voice
        tone = np.sin(np.arange(20_000) / 10).astype(np.float32)
        size = 1000 * (options.chunk_tokens or (5,))[0]
        if not options.exact and size < len(tone):  # it is not all known
            tone *= 1 + self.unknown
        for start in range(0, len(tone), size):
            piece = tone[start : start + size].copy()
            if start:
                piece[0] += self.fault
            yield SpeechChunk(AudioChunk(piece, RATE_HZ))


def test_the_same_speech_is_identical():
    found = verify_streaming(Fake(0.0), NOBODY, ["a"])
    assert found.streamed_vs_whole_snr_db == IDENTICAL_DB
    assert found.passed


def test_what_could_not_be_known_is_told_apart_from_the_windows():
    found = verify_streaming(Fake(0.0, unknown=0.1), NOBODY, ["a"])
    assert found.streamed_vs_whole_snr_db == IDENTICAL_DB
    assert found.as_heard_snr_db == pytest.approx(20, abs=0.1)
    assert found.passed
    assert not found.heard_exactly


def test_clicks_are_found_however_small_their_energy():
    found = verify_streaming(Fake(0.2), NOBODY, ["a"])
    assert found.streamed_vs_whole_snr_db > ENOUGH_DB - 10
    assert found.seam_jump > found.seam_jump_limit
    assert not found.passed


def test_other_sound_is_found_even_without_clicks():
    whole = [np.sin(np.arange(4000) / 10).astype(np.float32)]
    other = np.sin(np.arange(4000) / 10 + 0.3).astype(np.float32)
    compared = [compare([other[:1000], other[1000:]], whole)]
    found = verdict(compared, compared)
    assert found.seam_jump <= found.seam_jump_limit
    assert found.streamed_vs_whole_snr_db < ENOUGH_DB
    assert not found.passed


def test_a_missing_end_is_an_error():
    whole = np.ones(100, np.float32)
    compared = [compare([whole[:50], whole[50:90]], [whole])]
    found = verdict(compared, compared)
    assert found.largest_error == 1.0
    assert found.streamed_vs_whole_snr_db == pytest.approx(10.0)


def test_nano_streams_without_a_trace():
    found = verify_streaming(
        NanoSynthesizer(Bundle.load(TINY)), NOBODY, ["Hello there, my friend. " * 8]
    )
    assert found.streamed_vs_whole_snr_db >= 100
    assert found.as_heard_snr_db >= 100
    assert found.seams > 10


def test_the_command_prints_a_verdict(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    bundle = tmp_path / "bundle"
    shutil.copytree(TINY, bundle)
    (bundle / "voices").mkdir()
    dataclasses.replace(NOBODY, about={"origin": "stock"}).save(bundle / "voices" / "nobody.voice")
    code = main(["verify", str(bundle), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if found["passed"] else 1)
    assert found["streamed_vs_whole_snr_db"] >= ENOUGH_DB
    assert found["voice"] == "nobody"
    with (bundle / "vocoder.onnx").open("ab") as file:
        file.write(b"x")
    assert main(["verify", str(bundle)]) == 2
    assert "damaged" in capsys.readouterr().err
