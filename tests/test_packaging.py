"""The wheel holds what the checkout holds, under one name."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
            "--disable-pip-version-check", "-w", folder, ROOT,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def tracked(folder):
    listing = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return set(listing.stdout.split())


@pytest.mark.parametrize("folder", ["stream", "export", "models", "clients", "configs"])
def test_wheel_holds_every_tracked_file(wheel_names, folder):
    missing = {name for name in tracked(folder) if f"selftalk/{name}" not in wheel_names}
    assert not missing


def test_wheel_holds_nothing_beside_selftalk(wheel_names):
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"selftalk"}


def test_runtime_install_brings_no_torch():
    runtime = SETTINGS["project"]["dependencies"]
    extras = SETTINGS["project"]["optional-dependencies"]
    assert not [name for name in runtime if name.startswith(("torch", "onnx>", "sounddevice"))]
    assert not [n for name in ("audio", "local") for n in extras[name] if n.startswith("torch")]
    assert any(name.startswith("torch") for name in extras["train"])


def test_every_command_is_there():
    commands = SETTINGS["project"]["entry-points"]["selftalk.commands"]
    for module in commands.values():
        path = ROOT / (module.removeprefix("selftalk.").replace(".", "/") + ".py")
        assert "def add_parser" in path.read_text(), path
