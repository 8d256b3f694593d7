import numpy as np
import onnxruntime
import pytest
import torch

from selftalk.export.ge2e import export, from_graph, load
from selftalk.models.ge2e import MEL_BANDS, Ge2e
from selftalk.stream.errors import BundleError
from selftalk.stream.graphs.onnx import open_session
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import WINDOW_FRAMES


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    state = Ge2e().state_dict()
    loss = {"similarity_weight": torch.tensor([10.0]), "similarity_bias": torch.tensor([-5.0])}
    torch.save({"step": 1, "model_state": {**loss, **state}}, tmp_path / "pretrained.pt")
    return tmp_path / "pretrained.pt"


def test_embeddings_are_positive_and_of_length_one(checkpoint):
    with torch.no_grad():
        embeddings = load(checkpoint)(torch.rand(3, 20, MEL_BANDS)).numpy()
    assert (embeddings >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    torch.save({"model_state": {"lstm.weight": torch.zeros(2)}}, tmp_path / "other.pt")
    with pytest.raises(RuntimeError, match="lstm"):
        load(tmp_path / "other.pt")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("windows", [1, 5])
def test_the_graph_equals_the_module_for_any_number_of_windows(checkpoint, tmp_path, windows):
    model = load(checkpoint)
    export(model, tmp_path / "ge2e.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "ge2e.onnx"))
    mel = np.random.default_rng(1).random((windows, WINDOW_FRAMES, MEL_BANDS), np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(mel)).numpy()
    found = session.run(None, {"windows": mel})[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_graph_of_the_bundle_becomes_the_module_again():
    path = default_bundle().graph_path("speaker")
    mel = np.random.default_rng(1).random((2, WINDOW_FRAMES, MEL_BANDS), np.float32)
    with torch.no_grad():
        found = from_graph(path)(torch.from_numpy(mel)).numpy()
    np.testing.assert_allclose(found, open_session(path).run(None, {"windows": mel})[0], atol=1e-5)


def test_another_graph_is_refused():
    with pytest.raises(BundleError, match="GE2E"):
        from_graph(default_bundle().graph_path("timbre"))
