import json

import numpy as np
import pytest

from selftalk.stream.errors import AudioFileError, VoiceError
from selftalk.stream.studio.recording import (
    MANIFEST,
    Recording,
    Slice,
    load_recording,
    recording_folder,
)
from selftalk.stream.studio.report import Finding, RecordingReport

REPORT = RecordingReport((Finding("noise", "good", 45.0, "dB", "The room is quiet."),), 10.0, 8.0)


def tone(seconds, rate=24_000):
    return np.sin(np.arange(int(seconds * rate)) * 0.1).astype(np.float32) * 0.5


@pytest.fixture
def recording():
    slices = (
        Slice(tone(3), 24_000, 12, "a.wav", "Hello there.", 0.9, 5.0, 2.0, -20.0, 4.0),
        Slice(tone(4, 16_000), 16_000, text="Oh!"),
    )
    return Recording("me", "en", slices, REPORT, {"neutral": (0,), "lively": (1, 0)})


def test_what_was_saved_is_loaded(recording, tmp_path):
    recording.save(tmp_path / "me")
    loaded = Recording.load(tmp_path / "me")
    assert (loaded.name, loaded.language, loaded.report) == ("me", "en", REPORT)
    assert loaded.references == recording.references
    for before, after in zip(recording.slices, loaded.slices, strict=True):
        np.testing.assert_allclose(after.samples, before.samples, atol=1e-4)
        assert after.sample_rate_hz == before.sample_rate_hz
        assert (after.text, after.start_samples) == (before.text, before.start_samples)


def test_a_new_recording_replaces_the_old_one(recording, tmp_path):
    recording.save(tmp_path / "me")
    Recording("me", "en", recording.slices[:1], REPORT).save(tmp_path / "me")
    assert len(Recording.load(tmp_path / "me").slices) == 1
    assert sorted(path.name for path in (tmp_path / "me").iterdir()) == ["0000.flac", MANIFEST]
    assert [path.name for path in tmp_path.iterdir()] == ["me"]


def test_slices_of_several_rates_are_joined_at_one(recording):
    assert recording.joined(32_000).duration_seconds == pytest.approx(7, abs=0.01)


def test_a_style_without_reference_is_shown_by_a_neutral_one(recording):
    assert recording.reference("lively") is recording.slices[1]
    assert recording.reference("tired") is recording.slices[0]


def test_a_recording_without_references_says_so():
    with pytest.raises(AudioFileError, match="no usable reference"):
        Recording("me", "en", (), REPORT).reference()


def test_a_damaged_slice_is_found(recording, tmp_path):
    recording.save(tmp_path / "me")
    (tmp_path / "me/0001.flac").write_bytes(b"nothing")
    with pytest.raises(AudioFileError, match="damaged"):
        Recording.load(tmp_path / "me")


def test_a_slice_outside_the_folder_is_refused(recording, tmp_path):
    recording.save(tmp_path / "me")
    manifest = json.loads((tmp_path / "me" / MANIFEST).read_text())
    manifest["slices"][0]["file"] = "../secret.flac"
    (tmp_path / "me" / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(AudioFileError, match="damaged"):
        Recording.load(tmp_path / "me")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format": 2}'])
def test_a_broken_manifest_is_one_sentence(content, tmp_path):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(AudioFileError, match="not a recording"):
        Recording.load(tmp_path)


def test_a_missing_recording_tells_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    with pytest.raises(AudioFileError, match="selftalk record me"):
        load_recording("me")


def test_a_name_cannot_lead_elsewhere():
    with pytest.raises(VoiceError):
        recording_folder("../you")


def test_the_verdict_is_the_worst_of_the_findings():
    worse = Finding("echo", "usable", 0.5, "s", "It echoes.")
    assert REPORT.verdict == "good"
    assert RecordingReport((*REPORT.findings, worse), 1, 1).verdict == "usable"
    assert RecordingReport((), 1, 1).verdict == "good"
