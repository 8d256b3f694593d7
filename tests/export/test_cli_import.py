import argparse
import json
from pathlib import Path

import pytest

from selftalk.export import checkpoint_worker, cli_import, importer, voice_model
from selftalk.stream.errors import CheckpointError

GOLDEN = Path(__file__).parents[1] / "data" / "golden"


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    cli_import.add_parser(parser.add_subparsers())
    args = parser.parse_args(["import", *map(str, arguments)])
    return args.run(args)


@pytest.fixture(autouse=True)
def reader_in_this_process(monkeypatch):
    monkeypatch.setattr(checkpoint_worker, "confine", lambda _: None)
    monkeypatch.setattr(
        voice_model, "unpack_checkpoint", lambda *paths: checkpoint_worker.main([*map(str, paths)])
    )


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    return tmp_path


def test_import_says_what_it_imported_and_what_comes_next(home, capsys):
    assert run(GOLDEN / "s1.ckpt", GOLDEN / "s2_v2pro.pth", "--name", "me") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("imported me (v2Pro, ")
    assert first.endswith(str(home / "models" / "me"))
    assert second == "next: selftalk export me"


def test_json_is_one_object(capsys):
    assert run(GOLDEN / "s1.ckpt", GOLDEN / "s2_v2.pth", "--name", "me", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["version"]) == ("me", "v2")


def test_a_refusal_is_left_to_the_caller(monkeypatch):
    monkeypatch.setattr(voice_model, "unpack_checkpoint", importer.unpack_checkpoint)
    with pytest.raises(CheckpointError, match="cannot be imported"):
        run(GOLDEN / "t2s.npz", GOLDEN / "s2_v2.pth", "--name", "me")
