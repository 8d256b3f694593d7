import json

import numpy as np
import pytest
from fakes_checkpoints import Entry, archive, mapping, tensor, voice_file, voice_pickle

from selftalk.export import checkpoint_worker, voice_model
from selftalk.export.importer import unpack_checkpoint
from selftalk.export.voice_model import import_voice_model, load_voice_model
from selftalk.stream.errors import CheckpointError, ConfigError


@pytest.fixture(autouse=True)
def reader_in_this_process(monkeypatch):
    """A process for each file would make most of these tests slow; one of them keeps it."""

    def unpack(path, folder):
        monkeypatch.setattr(checkpoint_worker, "confine", lambda _: None)
        if checkpoint_worker.main([str(path), str(folder)]) != 0:
            raise CheckpointError(f"{path.name!r} cannot be imported: refused")

    monkeypatch.setattr(voice_model, "unpack_checkpoint", unpack)


def s1_file(rows: int = 732) -> bytes:
    text = tensor([rows, 1], elements=rows)
    names = ("model.ar_text_embedding.word_embeddings.weight", "model.ar_predict_layer.weight")
    pickle = voice_pickle(weight=mapping({names[0]: text, names[1]: text}), config=mapping({}))
    values = np.arange(rows, dtype=np.float16)
    return archive([Entry("a/data.pkl", pickle), Entry("a/data/0", values.tobytes())])


@pytest.fixture
def pair(tmp_path):
    s1, s2 = tmp_path / "s1.ckpt", tmp_path / "s2.pth"
    s1.write_bytes(s1_file())
    s2.write_bytes(voice_file())
    return s1, s2


def test_a_pair_becomes_a_folder_and_loads(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(voice_model, "unpack_checkpoint", unpack_checkpoint)
    folder = import_voice_model(*pair, "my-voice_2", tmp_path / "home")
    assert folder == tmp_path / "home" / "models" / "my-voice_2"
    assert sorted(p.name for p in folder.iterdir()) == [
        "model.json", "s1.safetensors", "s2.safetensors",
    ]  # fmt: skip
    assert [p.name for p in folder.parent.iterdir()] == ["my-voice_2"]
    model = load_voice_model(folder)
    assert (model.name, model.version) == ("my-voice_2", "v2")
    assert (model.s1.kind, model.s2.kind) == ("s1", "s2")
    np.testing.assert_array_equal(
        model.s1.tensors["model.ar_predict_layer.weight"].ravel(), np.arange(732)
    )


def test_the_same_pair_gives_the_same_bytes(pair, tmp_path):
    one, two = (import_voice_model(*pair, "v", tmp_path / home) for home in ("one", "two"))
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes()


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "a\\b", ".hidden", "-x", "a b", "声", "con", "NUL", "a" * 65, "a\n"]
)
def test_unsafe_names_are_refused(name, pair, tmp_path):
    with pytest.raises(ConfigError, match="no name for a voice model"):
        import_voice_model(*pair, name, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_name_is_replaced_only_on_request(pair, tmp_path):
    folder = import_voice_model(*pair, "v", tmp_path)
    with pytest.raises(ConfigError, match="exists already"):
        import_voice_model(*pair, "v", tmp_path)
    pair[0].write_bytes(s1_file(512 + 1))
    import_voice_model(*pair, "v", tmp_path, replace=True)
    assert load_voice_model(folder).s1.version == "unknown"
    assert [p.name for p in folder.parent.iterdir()] == ["v"]


def test_a_refused_file_leaves_the_old_model_and_nothing_else(pair, tmp_path):
    folder = import_voice_model(*pair, "v", tmp_path)
    before = (folder / "model.json").read_bytes()
    pair[1].write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match=r"'s2\.pth' cannot be imported"):
        import_voice_model(*pair, "v", tmp_path, replace=True)
    assert (folder / "model.json").read_bytes() == before
    assert [p.name for p in folder.parent.iterdir()] == ["v"]


def test_a_failed_rename_puts_the_old_model_back(pair, tmp_path, monkeypatch):
    folder = import_voice_model(*pair, "v", tmp_path)
    real = voice_model.Path.rename

    def failing(path, target):
        if path.name == "model":
            raise OSError(28, "No space left on device")
        return real(path, target)

    monkeypatch.setattr(voice_model.Path, "rename", failing)
    with pytest.raises(CheckpointError, match="cannot be written"):
        import_voice_model(*pair, "v", tmp_path, replace=True)
    assert load_voice_model(folder).version == "v2"


def test_swapped_files_are_told(pair, tmp_path):
    with pytest.raises(CheckpointError, match=r"s1 \.ckpt first"):
        import_voice_model(pair[1], pair[0], "v", tmp_path)


def test_stages_of_different_symbol_tables_are_refused(pair, tmp_path):
    pair[0].write_bytes(s1_file(512))
    with pytest.raises(CheckpointError, match="version v1 and the SoVITS checkpoint of v2"):
        import_voice_model(*pair, "v", tmp_path)


@pytest.mark.parametrize("spoiled", ["s1.safetensors", "s2.safetensors", "model.json"])
def test_a_model_that_was_changed_is_refused(spoiled, pair, tmp_path):
    folder = import_voice_model(*pair, "v", tmp_path)
    raw = bytearray((folder / spoiled).read_bytes())
    raw[len(raw) // 2 :] = b""
    (folder / spoiled).write_bytes(raw)
    with pytest.raises(CheckpointError):
        load_voice_model(folder)


def test_a_later_format_is_told(pair, tmp_path):
    folder = import_voice_model(*pair, "v", tmp_path)
    described = json.loads((folder / "model.json").read_text("utf-8"))
    (folder / "model.json").write_text(json.dumps({**described, "format_version": 2}), "utf-8")
    with pytest.raises(CheckpointError, match="later format"):
        load_voice_model(folder)
