import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from selftalk.export.perth import PAST_TAPS, TAPS, Stack, graph_of
from selftalk.stream.trust.watermark import BANDS, PAST_FRAMES

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning"
)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return Stack(BANDS, PAST_TAPS, 0).eval()


def test_the_graph_says_what_the_module_says_with_int8_weights(encoder):
    content = graph_of(encoder, (torch.rand(1, BANDS, 40),), ["levels"], ["residual"])
    session = onnxruntime.InferenceSession(content)
    levels = torch.rand(1, BANDS, 25)
    (residual,) = session.run(None, {"levels": levels.numpy()})
    with torch.no_grad():
        expected = encoder(levels).numpy()
    assert residual.shape == (1, BANDS, 25 - PAST_FRAMES)
    np.testing.assert_allclose(residual, expected, atol=0.02 * np.abs(expected).max())
    kinds = {tensor.data_type for tensor in onnx.load_from_string(content).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    assert len(content) < 1.1 * sum(parameter.numel() for parameter in encoder.parameters())


def test_only_the_taps_that_look_back_are_taken(encoder):
    whole = Stack(BANDS, TAPS, TAPS // 2)
    weights = {}
    for place, layer in enumerate(whole.layers):
        weights[f"x.{place}.conv.weight"] = layer.weight.data
        weights[f"x.{place}.conv.bias"] = layer.bias.data
    encoder.take(weights, "x")
    before = whole.layers[1].weight[..., :PAST_TAPS]
    assert torch.equal(encoder.layers[1].weight, before)
    levels = torch.rand(1, BANDS, 30)
    changed = levels.clone()
    changed[..., 20:] = 0  # the future of frame 19
    seen = 20 - PAST_FRAMES
    with torch.no_grad():
        torch.testing.assert_close(encoder(levels)[..., :seen], encoder(changed)[..., :seen])
