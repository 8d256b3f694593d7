import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from selftalk.models.training.styles import WEIGHTS as VOICE_WEIGHTS
from selftalk.models.training.styles import ProsodyMix, StyleBank, Timbre
from selftalk.models.training.teacher import (
    CHARACTERS_FILE,
    GRAPH_FILE,
    PLANNING_FILE,
    STYLE_SIZE,
    TIMBRE_SIZE,
    UNIT_SAMPLES,
    WEIGHTS,
    Teacher,
)
from selftalk.stream.errors import WeightsError
from selftalk.stream.fetching.weights import resolve

PLANNED, DURATIONS, PITCH, ENERGY = (
    "/encoder/Div_output_0",
    "/encoder/Clip_output_0",
    "/encoder/F0_proj/Conv_output_0",
    "/encoder/N_proj/Conv_output_0",
)


def constant(name, value, dtype=np.int64):
    return numpy_helper.from_array(np.array(value, dtype), name)


def tiny_graph():
    """The teacher's ports and taps: a token's id is its duration, style sets pitch and sound."""
    node = helper.make_node
    nodes = [
        node("Cast", ["tokens"], ["ids"], to=TensorProto.FLOAT),
        node("Div", ["ids", "speed"], [PLANNED]),
        node("Round", [PLANNED], [DURATIONS]),
        node("ReduceSum", [DURATIONS], ["units"], keepdims=0),
        node("Cast", ["units"], ["count"], to=TensorProto.INT64),
        node("Mul", ["count", "two"], ["frames"]),
        node("Unsqueeze", ["frames", "zero"], ["frame_shape"]),
        node("Slice", ["style", "last", "end", "one"], ["prosody"]),
        node("Squeeze", ["prosody"], ["prosody_value"]),
        node("Expand", ["prosody_value", "frame_shape"], [PITCH]),
        node("Neg", [PITCH], [ENERGY]),
        node("Mul", ["count", "unit_samples"], ["length"]),
        node("Unsqueeze", ["length", "zero"], ["audio_shape"]),
        node("Slice", ["style", "zero", "first_end", "one"], ["timbre"]),
        node("Squeeze", ["timbre"], ["timbre_value"]),
        node("Expand", ["timbre_value", "audio_shape"], ["audio"]),
    ]
    constants = [
        constant("two", 2),
        constant("zero", [0]),
        constant("one", [1]),
        constant("last", [STYLE_SIZE - 1]),
        constant("end", [STYLE_SIZE]),
        constant("first_end", [1]),
        constant("unit_samples", UNIT_SAMPLES),
    ]
    inputs = [
        helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, STYLE_SIZE]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    for slicing in (nodes[7], nodes[13]):
        slicing.input.insert(3, "axis")
    constants.append(constant("axis", [1]))
    outputs = [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [None])]
    graph = helper.make_graph(nodes, "teacher", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / GRAPH_FILE).write_bytes(tiny_graph().SerializeToString())
    (tmp_path / CHARACTERS_FILE).write_text(json.dumps({"vocab": {"a": 3, "b": 5, " ": 1}}))
    return tmp_path


@pytest.fixture
def style():
    return np.linspace(0.1, 200, STYLE_SIZE, dtype=np.float32)


def test_a_line_comes_with_its_prosody(folder, style):
    speech = Teacher(folder).speak("ab a", style)
    assert speech.prosody.durations.tolist() == [0, 3, 5, 1, 3, 0]
    assert len(speech.samples) == 12 * UNIT_SAMPLES
    np.testing.assert_allclose(speech.prosody.pitch_hz, np.full(24, 200), rtol=1e-6)
    np.testing.assert_allclose(speech.prosody.energy, np.full(24, -200), rtol=1e-6)


def test_durations_are_planned_more_finely_than_spoken(folder, style):
    spoken = Teacher(folder).speak("abba", style, 1.3).prosody.durations
    planned = Teacher(folder, silent=True).durations("abba", style, 1.3)
    np.testing.assert_allclose(planned, np.array([0, 3, 5, 5, 3, 0]) / 1.3, rtol=1e-6)
    np.testing.assert_array_equal(np.rint(planned), spoken)


def test_the_planning_graph_has_no_decoder(folder):
    Teacher(folder, silent=True)
    graph = onnx.load(str(folder / PLANNING_FILE)).graph
    assert [output.name for output in graph.output] == [PLANNED]
    names = {name for node in graph.node for name in node.output}
    assert not names & {"audio", "timbre", "length", PITCH, DURATIONS}
    assert "unit_samples" not in {tensor.name for tensor in graph.initializer}


def test_timbre_does_not_touch_the_prosody(folder, style):
    teacher = Teacher(folder)
    other = style.copy()
    other[:TIMBRE_SIZE] += 1
    one, two = teacher.speak("ab", style), teacher.speak("ab", other)
    np.testing.assert_array_equal(one.prosody.pitch_hz, two.prosody.pitch_hz)
    assert np.abs(one.samples - two.samples).min() > 0.9


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(WeightsError, match=GRAPH_FILE):
        Teacher(tmp_path)


@pytest.mark.weights
def test_the_real_teacher_keeps_its_promises():
    teacher = Teacher(resolve(WEIGHTS))
    bank = StyleBank.load(resolve(VOICE_WEIGHTS))
    prosody = ProsodyMix(("af_heart", "af_bella"))
    line = "wˈɜɹld pˈis."
    heart, michael = (
        teacher.speak(line, bank.style(Timbre("stock", (name,)), prosody, len(line)))
        for name in ("af_heart", "am_michael")
    )
    assert 0.8 < len(heart.samples) / 24_000 < 2.5
    assert len(heart.prosody.durations) == len(line) + 2
    np.testing.assert_array_equal(heart.prosody.durations, michael.prosody.durations)
    np.testing.assert_array_equal(heart.prosody.pitch_hz, michael.prosody.pitch_hz)
    assert np.abs(heart.samples - michael.samples).max() > 0.05
