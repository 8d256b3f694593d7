import numpy as np
import pytest

from selftalk.stream.errors import ConfigError, WeightsError
from selftalk.stream.onnx import available_providers, input_shapes, open_session, run_session

onnx = pytest.importorskip("onnx")


@pytest.fixture
def doubler(tmp_path):
    """A graph y = x + x written to a file."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubler",
        [helper.make_tensor_value_info("x", kind, ["T"])],
        [helper.make_tensor_value_info("y", kind, ["T"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "doubler.onnx"
    onnx.save(model, path)
    return path


def test_runs_on_one_thread_without_spinning(doubler):
    session = open_session(doubler)
    options = session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    outputs = run_session(session, {"x": np.array([1, 2], np.float32)})
    np.testing.assert_array_equal(outputs["y"], [2, 4])


def test_tells_the_shapes_of_its_inputs(doubler):
    assert input_shapes(open_session(doubler)) == {"x": ["T"]}


def test_missing_and_damaged_files_are_one_sentence(tmp_path):
    with pytest.raises(WeightsError, match=r"no\.onnx' does not exist"):
        open_session(tmp_path / "no.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not a graph")
    with pytest.raises(WeightsError, match=r"damaged\.onnx' cannot be run") as caught:
        open_session(damaged)
    assert "\n" not in str(caught.value)


def test_unknown_provider_names_the_available_ones(doubler):
    with pytest.raises(ConfigError, match="CPUExecutionProvider"):
        open_session(doubler, providers=["WishfulExecutionProvider"])
    assert "CPUExecutionProvider" in available_providers()
