import numpy as np
import onnx
import onnxruntime
import pytest

from selftalk.export.quantize import to_byte_weights, to_half_weights, to_int8

WIDTH = 64


@pytest.fixture(scope="module")
def product():
    """A graph y = x W for x (T, 64)."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.random.default_rng(0).standard_normal((WIDTH, WIDTH)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", kind, ["T", WIDTH])],
        [helper.make_tensor_value_info("y", kind, ["T", WIDTH])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def run(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": x})[0]


@pytest.fixture(scope="module")
def frames():
    frames = np.random.default_rng(1).standard_normal((20, WIDTH)).astype(np.float32)
    frames[-1] *= 30  # a loud frame widens the scale of all that are in one call with it
    return frames


@pytest.mark.parametrize(
    ("smaller", "error"),
    [(to_half_weights, 0.001), (to_byte_weights, 0.02), (to_int8, 0.05)],
)
def test_smaller_graphs_say_nearly_the_same(product, frames, smaller, error):
    expected, found = run(product, frames), run(smaller(product), frames)
    assert 0 < np.abs(found - expected).max() < error * np.abs(expected).max()
    assert smaller(product).ByteSize() < 0.6 * product.ByteSize()


@pytest.mark.parametrize("narrow", [to_half_weights, to_byte_weights])
def test_with_narrow_weights_chunks_equal_the_whole(product, frames, narrow):
    small = narrow(product)
    chunks = np.concatenate([run(small, frames[:7]), run(small, frames[7:])])
    np.testing.assert_allclose(chunks, run(small, frames), rtol=1e-6, atol=1e-6)


def test_with_8_bits_a_frame_depends_on_its_company(product, frames):
    small = to_int8(product)
    alone, together = run(small, frames[:1]), run(small, frames)[:1]
    assert np.abs(alone - together).max() > 0.01
