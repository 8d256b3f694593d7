import os
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes_checkpoints import Entry, archive, mapping, tensor, voice_file, voice_pickle

from selftalk.export import importer
from selftalk.export.importer import load_unpacked, read_checkpoint, unpack_checkpoint
from selftalk.stream.errors import CheckpointError

GOLDEN = Path(os.environ.get("SELFTALK_GOLDEN", Path(__file__).parents[1] / "data" / "golden"))


@pytest.mark.parametrize(
    "name", sorted(p.name for p in GOLDEN.glob("*") if p.suffix in (".ckpt", ".pth"))
)
def test_the_reference_trainer_s_files_are_read(name):
    found = read_checkpoint(GOLDEN / name)
    assert found.kind == name[:2]
    assert found.config["model"]
    assert all(tensor.dtype == np.float16 for tensor in found.tensors.values())
    expected = {"s2_v1.pth": "v1", "s2_v2.pth": "v2", "s2_v2pro.pth": "v2Pro"}
    assert found.version == expected.get(name, found.version)


def test_a_checkpoint_comes_back_bit_by_bit(tmp_path):
    values = np.arange(732, dtype=np.float16).reshape(732, 1)
    raw = archive([Entry("a/data.pkl", voice_pickle()), Entry("a/data/0", values.tobytes())])
    (tmp_path / "s2.pth").write_bytes(raw)
    found = read_checkpoint(tmp_path / "s2.pth")
    assert (found.kind, found.version, found.info, found.config) == ("s2", "v2", "", {})
    assert list(found.tensors) == ["enc_p.text_embedding.weight"]
    np.testing.assert_array_equal(found.tensors["enc_p.text_embedding.weight"], values)


def test_a_path_with_odd_characters_is_only_a_path(tmp_path):
    odd = tmp_path / "-x 小明; $(touch canary)\n.pth"
    odd.write_bytes(voice_file())
    assert read_checkpoint(odd).kind == "s2"


def test_a_relative_path_is_the_caller_s(tmp_path, monkeypatch):
    (tmp_path / "s2.pth").write_bytes(voice_file())
    monkeypatch.chdir(tmp_path)
    assert read_checkpoint(Path("s2.pth")).kind == "s2"


@pytest.mark.parametrize("name", ["missing.pth", "."])
def test_what_is_no_file_is_refused(name, tmp_path):
    with pytest.raises(CheckpointError, match="cannot be imported"):
        read_checkpoint(tmp_path / name)


def test_a_reader_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "BASE_TIMEOUT_SECONDS", 0.01)
    (tmp_path / "s2.pth").write_bytes(voice_file())
    with pytest.raises(CheckpointError, match="longer"):
        read_checkpoint(tmp_path / "s2.pth")


def replace_worker(monkeypatch, code):
    monkeypatch.setattr(importer, "_command", lambda *_: [sys.executable, "-c", code])


def test_a_reader_that_dies_is_a_refusal(tmp_path, monkeypatch):
    (tmp_path / "s2.pth").write_bytes(voice_file())
    replace_worker(monkeypatch, "import os; os.abort()")
    with pytest.raises(CheckpointError, match="its reader was stopped"):
        read_checkpoint(tmp_path / "s2.pth")


@pytest.mark.parametrize("code", ["pass", "open('layout.json', 'w').write('{}')"])
def test_a_reader_that_writes_nothing_useful_is_a_refusal(code, tmp_path, monkeypatch):
    (tmp_path / "s2.pth").write_bytes(voice_file())
    replace_worker(monkeypatch, code)
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path / "s2.pth")


def test_the_reader_gets_no_secrets_and_no_current_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    (tmp_path / "s2.pth").write_bytes(voice_file())
    leaks = "'OPENAI_API_KEY' in os.environ or os.listdir() != ['refused.txt']"
    replace_worker(monkeypatch, f"import os, sys; sys.exit({leaks})")
    unpack_checkpoint(tmp_path / "s2.pth", _made(tmp_path / "out"))


def test_the_reader_needs_no_torch():
    code = (
        "import sys; import selftalk.export.checkpoint_worker; "
        "sys.exit(bool({'torch', 'onnxruntime'} & set(sys.modules)))"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0


def test_unpacked_folders_hold_only_the_two_results(tmp_path):
    (tmp_path / "s2.pth").write_bytes(voice_file())
    folder = _made(tmp_path / "out")
    unpack_checkpoint(tmp_path / "s2.pth", folder)
    assert sorted(p.name for p in folder.iterdir()) == ["layout.json", "tensors.safetensors"]
    assert load_unpacked(folder).version == "v2"


def test_the_refusal_of_a_later_version_is_one_sentence(tmp_path):
    weight = mapping({"cfm.estimator.x": tensor([1])})
    (tmp_path / "s2Gv3.pth").write_bytes(voice_file(voice_pickle(weight=weight)))
    with pytest.raises(CheckpointError) as refusal:
        read_checkpoint(tmp_path / "s2Gv3.pth")
    assert str(refusal.value) == (
        "'s2Gv3.pth' cannot be imported: the checkpoint is a GPT-SoVITS v3 or v4 voice; "
        "v1, v2, v2Pro and v2ProPlus are supported"
    )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
