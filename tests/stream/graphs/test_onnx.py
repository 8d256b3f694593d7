import os
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from selftalk.stream.errors import ConfigError, WeightsError
from selftalk.stream.graphs.onnx import (
    CPU_PROVIDERS,
    PROVIDERS,
    available_providers,
    input_shapes,
    open_session,
    run_session,
    usable_providers,
)

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


def test_a_provider_that_is_missing_gives_way_to_the_processor_and_says_so(monkeypatch):
    monkeypatch.setattr("selftalk.stream.graphs.onnx.available_providers", lambda: CPU_PROVIDERS)
    assert usable_providers("cpu") == (CPU_PROVIDERS, "")
    providers, note = usable_providers("cuda")
    assert providers == CPU_PROVIDERS
    assert "cannot use 'cuda'" in note
    assert "onnxruntime-gpu" in note
    assert "pip" not in usable_providers("coreml")[1]


def test_a_provider_that_is_there_comes_before_the_processor(monkeypatch):
    there = ("CUDAExecutionProvider", *CPU_PROVIDERS)
    monkeypatch.setattr("selftalk.stream.graphs.onnx.available_providers", lambda: there)
    assert usable_providers("cuda") == (PROVIDERS["cuda"], "")


def test_a_provider_that_fails_to_start_is_told_once(doubler, monkeypatch, caplog):
    wanted = ("CUDAExecutionProvider", *CPU_PROVIDERS)
    monkeypatch.setattr("selftalk.stream.graphs.onnx.available_providers", lambda: wanted)
    session = open_session(doubler)
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *args, **kwargs: session)
    open_session(doubler, providers=wanted)
    open_session(doubler, providers=wanted)
    assert [record.message for record in caplog.records] == [
        "CUDAExecutionProvider could not be started (is its driver there?);"
        " CPUExecutionProvider does the work"
    ]


def test_a_graph_that_a_provider_refuses_is_run_by_the_processor(
    doubler, monkeypatch, caplog, capfd
):
    wanted = ("OpenVINOExecutionProvider", *CPU_PROVIDERS)
    monkeypatch.setattr("selftalk.stream.graphs.onnx.available_providers", lambda: wanted)
    real, asked = onnxruntime.InferenceSession, []

    def refuse(path, providers, **others):
        asked.append(providers)
        if providers[0][0] == wanted[0]:
            raise RuntimeError("none\nat line 12")
        return real(path, providers=providers, **others)

    monkeypatch.setattr("onnxruntime.InferenceSession", refuse)
    session = open_session(doubler, threads=2, providers=wanted)
    assert run_session(session, {"x": np.array([1], np.float32)})["y"] == [2]
    assert asked[0][0] == (wanted[0], {"num_of_threads": "2"})
    assert [record.message for record in caplog.records] == [
        f"OpenVINOExecutionProvider refuses '{doubler}', so the processor runs it: none"
    ]
    doubler.write_bytes(b"not a graph")
    with pytest.raises(WeightsError, match="cannot be run"):
        open_session(doubler, providers=wanted)
    assert capfd.readouterr() == ("", "")


def test_onnxruntime_leaves_no_identifier_and_sends_nothing(doubler, tmp_path):
    program = (
        f"from selftalk.stream.graphs.onnx import open_session; open_session({str(doubler)!r});"
        " import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    home = tmp_path / "home"
    home.mkdir()
    unset = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: text for name, text in os.environ.items() if name not in unset}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1"
    assert [path for path in home.rglob("*") if path.is_file()] == []
