import subprocess
import sys

import pytest
from fakes_checkpoints import voice_file

from selftalk.export.checkpoint_worker import (
    BASE_MEMORY_BYTES,
    REFUSED,
    TRIPPED,
    main,
    read_checkpoint_file,
)
from selftalk.stream.errors import CheckpointError

CONFINED = """
import os, socket, subprocess, sys
from selftalk.export.checkpoint_worker import confine
confine(0)
"""


def start_confined(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CONFINED + code],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run_confined(code: str) -> tuple[str, str]:
    with start_confined(code) as process:
        return process.communicate()


def test_the_tripwire_ends_the_process():
    attempts = (
        "os.system('true')",
        "subprocess.run(['true'])",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "socket.socket()",
        "import this",
        "exec('1 + 1')",
        "os.remove('x')",
    )
    started = {attempt: start_confined(attempt) for attempt in attempts}
    for attempt, process in started.items():
        process.communicate()
        assert process.returncode == TRIPPED, attempt


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces these limits")
def test_memory_and_file_size_are_limited(tmp_path):
    memory = run_confined(f"bytearray({2 * BASE_MEMORY_BYTES})")
    assert "MemoryError" in memory[1]
    path = str(tmp_path / "big")
    size = run_confined(f"open({path!r}, 'wb').truncate({2 * BASE_MEMORY_BYTES})")
    assert "File too large" in size[1]


def test_an_ordinary_program_is_not_disturbed():
    assert run_confined("print(sum(bytearray(1 << 20)))") == ("0\n", "")


def test_what_is_no_regular_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="regular"):
        read_checkpoint_file(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="regular"):
        read_checkpoint_file(tmp_path / "pipe")


def test_results_are_the_same_bytes_every_time(tmp_path, monkeypatch):
    monkeypatch.setattr("selftalk.export.checkpoint_worker.confine", lambda _: None)
    (tmp_path / "s2.pth").write_bytes(voice_file())
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        assert main([str(tmp_path / "s2.pth"), str(folder)]) == 0
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1]
    assert sorted(written[0]) == ["layout.json", "tensors.safetensors"]


def test_a_refusal_is_one_sentence_on_standard_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("selftalk.export.checkpoint_worker.confine", lambda _: None)
    (tmp_path / "s2.pth").write_bytes(b"<html>")
    assert main([str(tmp_path / "s2.pth"), str(tmp_path)]) == REFUSED
    assert capsys.readouterr().err == "the file is not a PyTorch checkpoint in ZIP layout"
