from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes_trust import agreed
from onnx import numpy_helper

from selftalk.stream.errors import VoiceError
from selftalk.stream.graphs.graph_patch import GraphPatch
from selftalk.stream.nano.content import Content
from selftalk.stream.nano.conversion import convert
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.sound.audio import concat
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.voices import Voice, learnt_folder

TINY = Path(__file__).parents[2] / "data" / "bundle_tiny"


@pytest.fixture(scope="module")
def synthesizer():
    return NanoSynthesizer(Bundle.load(TINY))


@pytest.fixture
def stock():
    return Voice("me", np.full(256, 1 / 16, np.float32), float(np.log(150)))


def louder(path):
    """The same vocoder with other weights in one place."""
    model = onnx.load(path)
    largest = max(model.graph.initializer, key=lambda each: len(each.raw_data))
    values = numpy_helper.to_array(largest)
    changed = values + (3 if values.dtype.kind in "iu" else 0.3)
    largest.CopyFrom(numpy_helper.from_array(changed.astype(values.dtype), largest.name))
    return model.SerializeToString()


@pytest.fixture
def cloned(stock, synthesizer, tmp_path):
    path = tmp_path / "me.voice"
    folder = learnt_folder(path)
    folder.mkdir()
    graph = synthesizer.bundle.graph_path("vocoder")
    patch = GraphPatch.between(graph.read_bytes(), louder(graph))
    patch.save(folder / "vocoder.patch")
    replace(stock, patches={"vocoder": folder / "vocoder.patch"}).save(path)
    return path


def test_a_cloned_voice_sounds_other_and_leaves_the_others_alone(synthesizer, stock, cloned):
    before = synthesizer.synthesize("Hello.", stock).samples
    learnt = synthesizer.synthesize("Hello.", Voice.load(cloned)).samples
    assert not np.allclose(learnt, before)
    np.testing.assert_array_equal(synthesizer.synthesize("Hello.", stock).samples, before)


def test_a_recording_is_converted_with_what_was_learnt(
    synthesizer, stock, cloned, tmp_path, monkeypatch
):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    content = Content(np.arange(20) % 8, None)
    made = [
        concat(convert(synthesizer.bundle, content, agreed(voice)), 24_000).samples
        for voice in (stock, Voice.load(cloned))
    ]
    assert len(made[0]) == len(made[1])
    assert not np.allclose(*made)


def test_its_graphs_are_made_once(synthesizer, cloned):
    voice = Voice.load(cloned)
    assert synthesizer._parts.of(voice) is synthesizer._parts.of(Voice.load(cloned))


def test_of_another_version_is_refused(synthesizer, cloned):
    folder = learnt_folder(cloned)
    GraphPatch.between(b"another", b"graph").save(folder / "vocoder.patch")
    with pytest.raises(VoiceError, match="learn it again"):
        synthesizer.synthesize("Hello.", Voice.load(cloned))


def test_a_missing_part_is_named(synthesizer, cloned):
    (learnt_folder(cloned) / "vocoder.patch").unlink()
    with pytest.raises(VoiceError, match="lacks what was learnt"):
        synthesizer.synthesize("Hello.", Voice.load(cloned))


def test_a_voice_may_change_no_other_graph(stock, tmp_path):
    replace(stock, patches={"../speaker": tmp_path}).save(tmp_path / "me.voice")
    with pytest.raises(VoiceError, match="may not"):
        Voice.load(tmp_path / "me.voice")
