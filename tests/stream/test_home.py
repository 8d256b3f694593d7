import pytest

from selftalk.stream.home import cache_folder, data_folder, weights_folder


@pytest.fixture(autouse=True)
def _nobody_at_home(tmp_path, monkeypatch):
    for variable in ("SELFTALK_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_data_and_caches_are_apart(tmp_path):
    assert data_folder() == tmp_path / ".local/share/selftalk"
    assert cache_folder() == tmp_path / ".cache/selftalk"
    assert weights_folder() == tmp_path / ".cache/selftalk/weights"
    assert not any(tmp_path.iterdir())


def test_xdg_moves_each(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder() == tmp_path / "data/selftalk"
    assert cache_folder() == tmp_path / "cache/selftalk"


def test_one_variable_moves_both(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "all"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert data_folder() == cache_folder() == tmp_path / "all"


def test_old_voices_are_moved_out_of_the_cache(tmp_path):
    old = tmp_path / ".cache/selftalk"
    (old / "voices").mkdir(parents=True)
    (old / "voices/me.voice").write_bytes(b"me")
    (old / "weights").mkdir()
    assert (data_folder() / "voices/me.voice").read_bytes() == b"me"
    assert not (old / "voices").exists()
    assert (old / "weights").is_dir()


def test_a_new_folder_is_never_replaced_by_an_old_one(tmp_path):
    old, new = tmp_path / ".cache/selftalk/voices", tmp_path / ".local/share/selftalk/voices"
    for folder in (old, new):
        folder.mkdir(parents=True)
    (old / "me.voice").write_bytes(b"old")
    (new / "me.voice").write_bytes(b"new")
    assert (data_folder() / "voices/me.voice").read_bytes() == b"new"
    assert (old / "me.voice").read_bytes() == b"old"
