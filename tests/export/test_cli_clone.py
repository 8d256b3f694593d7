from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from selftalk.export import cli_clone
from selftalk.export.official_clone import write_list
from selftalk.models.training.dataset import read_list
from selftalk.stream.errors import ConsentError, VoiceError
from selftalk.stream.studio.recording import Recording, Slice
from selftalk.stream.studio.report import RecordingReport
from selftalk.stream.synthesis.voices import Voice

OWNER = np.array([1.0, 0.0], np.float32)


def recording(likeness):
    """Slices whose sound says how much they are like the owner."""
    slices = tuple(
        Slice(np.full(1600, each, np.float32), 16_000, text=f"Slice {place}.")
        for place, each in enumerate(likeness)
    )
    return Recording("me", "en", slices, RecordingReport((), 1.0, 1.0))


def embed(audio):
    cosine = float(audio.samples.mean())
    return np.array([cosine, np.sqrt(1 - cosine**2)])


def test_recordings_of_somebody_else_are_refused():
    with pytest.raises(ConsentError, match="somebody else"):
        cli_clone.agreed(recording([0.6, 0.5, 0.7]), OWNER, embed)


def test_slices_of_somebody_else_are_left_out(capsys):
    kept = cli_clone.agreed(recording([0.95, 0.4, 0.95]), OWNER, embed)
    assert [piece.text for piece in kept.slices] == ["Slice 0.", "Slice 2."]
    assert "left out 1" in capsys.readouterr().err


def test_stock_voices_are_nobody_s_to_clone(monkeypatch):
    stock = Voice("mila", OWNER, 5.0, {"origin": "stock"})
    monkeypatch.setattr(cli_clone, "find_voice", lambda *_: stock)

    @dataclass
    class Arguments:
        name: str = "mila"
        bundle: None = None

    with pytest.raises(VoiceError, match="selftalk enroll NAME"):
        cli_clone.run(Arguments())


def test_official_training_gets_a_list_of_the_slices(tmp_path):
    spoken = recording([0.1, 0.2])
    path = write_list(spoken, tmp_path / "slices")
    lines = read_list(path)
    assert [line.text for line in lines] == ["Slice 0.", "Slice 1."]
    assert all(line.audio.is_file() for line in lines)


def test_an_imported_voice_needs_hubert():
    args = SimpleNamespace(hubert=None)
    with pytest.raises(VoiceError, match="--hubert"):
        cli_clone._official(args, recording([0.9]))
