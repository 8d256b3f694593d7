"""kill -9 in the midst of `selftalk read` leaves no trace in the file that is made after it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fakes_trust import agreed

from selftalk.stream.synthesis.voices import Voice, voices_folder
from selftalk.stream.trust.labels import read_label

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"
TEXT = "\n\n".join(f"# Day {day}\n\nIt rained on day {day}. Nobody came." for day in range(1, 13))
PATIENCE_SECONDS = 60
KEPT = "*.flac"


def prepared(folder, monkeypatch):
    """A diary, and a voice in a data folder of its own."""
    monkeypatch.setenv("SELFTALK_HOME", str(folder / "home"))
    voices_folder().mkdir(parents=True)
    voice = agreed(Voice("me", np.full(256, 1 / 16, np.float32), 5.0))
    voice.save(voices_folder() / "me.voice")
    (folder / "diary.md").write_text(TEXT)
    return folder


def started(folder):
    """The command, about the diary."""
    command = [
        sys.executable, "-c", "from selftalk.stream.cli import main; raise SystemExit(main())",
        "read", "diary.md", "-o", "diary.wav", "--keep",
        "--bundle", str(TINY), "--voice", "me", "--language", "en", "--cue", "off",
        "--subtitles", "srt",
    ]  # fmt: skip
    environment = {**os.environ, "SELFTALK_HOME": str(folder / "home")}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


def kept(folder):
    """Spoken paragraphs, whose word times are written last, and when they were written."""
    spoken = (folder / "home").rglob(KEPT)
    return {
        path.name: path.stat().st_mtime_ns for path in spoken if path.with_suffix(".json").exists()
    }


def kill_after(folder, paragraphs):
    process = started(folder)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(kept(folder)) < paragraphs and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.kill()
    assert process.wait() == -9, "the book was read before it could be killed"
    return kept(folder)


def content(path):
    """The bytes of a file, but for the number that its label is given by chance."""
    found = path.read_bytes()
    label = read_label(found)
    return found.replace(label.ProduceID.encode(), b"") if label else found


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_killed_reading_makes_the_same_file(tmp_path, monkeypatch):
    whole, killed = (prepared(tmp_path / name, monkeypatch) for name in ("whole", "killed"))
    assert started(whole).wait(PATIENCE_SECONDS) == 0
    for paragraphs in (1, 8):
        before = kill_after(killed, paragraphs)
        assert not (killed / "diary.wav").exists()
    assert started(killed).wait(PATIENCE_SECONDS) == 0
    after = kept(killed)
    assert {name: after[name] for name in before} == before, "nothing is spoken twice"
    for name in ("diary.wav", "diary.srt", "diary.cue"):
        assert content(killed / name) == content(whole / name), name
    assert not list(killed.glob(".*.part"))
