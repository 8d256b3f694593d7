import json
import shutil
from pathlib import Path

import pytest

from selftalk.stream.errors import BundleError
from selftalk.stream.synthesis.bundle import Bundle

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(TINY, tmp_path / "bundle"))


def edit(folder, **changes):
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_sound_bundle_passes_its_hashes(copy):
    Bundle.load(copy).verify()


def test_a_damaged_file_is_found(copy):
    with (copy / "vocoder.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff\xff")
    with pytest.raises(BundleError, match="damaged"):
        Bundle.load(copy).verify()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 99}, "format 99"),
        ({"colour": "red"}, "not a valid manifest"),
        ({"graphs": {}}, None),
    ],
)
def test_manifests_that_do_not_fit(copy, changes, sentence):
    edit(copy, **changes)
    if sentence is None:
        with pytest.raises(BundleError, match="has no graph 'vocoder'"):
            Bundle.load(copy).graph_path("vocoder")
    else:
        with pytest.raises(BundleError, match=sentence):
            Bundle.load(copy)


def test_a_missing_file_is_named(copy):
    (copy / "t2s_step.onnx").unlink()
    with pytest.raises(BundleError, match=r"lacks its file 't2s_step\.onnx'"):
        Bundle.load(copy)


def test_a_graph_outside_the_folder_is_refused(copy):
    manifest = json.loads((copy / "bundle.json").read_text())
    manifest["graphs"]["vocoder"]["file"] = "../vocoder.onnx"
    (copy / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="outside"):
        Bundle.load(copy)


def test_a_folder_without_manifest(tmp_path):
    with pytest.raises(BundleError, match="not a bundle"):
        Bundle.load(tmp_path)
