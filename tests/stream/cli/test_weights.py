import argparse
import json

import pytest

from selftalk.stream.cli import weights as cli_weights
from selftalk.stream.cli.weights import ProgressBar, add_parser
from selftalk.stream.errors import WeightsError


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())

    def run(*words):
        args = parser.parse_args(["weights", *words])
        return args.run(args)

    return run


def test_list_is_a_table_or_json(command, capsys):
    assert command() == 0
    assert "silero-vad" in capsys.readouterr().out
    assert command("list", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    silero = next(row for row in rows if row["name"] == "silero-vad")
    assert silero["licence"] == "MIT"
    assert silero["cached"] is False
    assert {row["origin"] for row in rows} <= {"publisher", "third-party-copy"}


def test_fetch_without_names_takes_the_default_set(command, capsys, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        cli_weights, "resolve", lambda name, progress: asked.append(name) or tmp_path / name
    )
    command("fetch", "--json")
    assert "silero-vad" in asked
    assert "resemblyzer-ge2e" not in asked
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == asked
    asked.clear()
    command("fetch", "whisper-base")
    assert asked == ["whisper-base"]


def test_remove_says_what_became_free(command, capsys):
    command("remove", "whisper-base")
    assert capsys.readouterr().out == "whisper-base: 0.0 MiB freed\n"


def test_unknown_name_is_an_error(command):
    with pytest.raises(WeightsError, match="unknown weights"):
        command("remove", "no-such")


def test_progress_is_silent_without_a_terminal_and_redrawn_on_one(capsys, monkeypatch):
    ProgressBar("a")("b.bin", 1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bar = ProgressBar("a")
    for done in (1 << 19, (1 << 19) + 1, 1 << 20):
        bar("b.bin", done, 1 << 20)
    shown = capsys.readouterr().err
    assert shown.count("\r") == 2
    assert "100% of 1.0 MiB\n" in shown
