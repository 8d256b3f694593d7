import numpy as np
import onnxruntime
import pytest
import torch

from selftalk.export.ge2e import Ge2e, export, load
from selftalk.stream.speaker import MEL_BANDS, WINDOW_FRAMES


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
