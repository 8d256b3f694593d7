"""Foreign names and shapes; that the numbers are right is shown by the golden tests."""

import numpy as np
import pytest
import torch
from torch import nn

from selftalk.models import checkpoint


def test_pointwise_convolutions_become_linear_layers():
    module = nn.Sequential(nn.Linear(3, 2))
    checkpoint.load_state(module, {"0.weight": torch.ones(2, 3, 1), "0.bias": torch.ones(2)})
    assert module(torch.ones(1, 3)).tolist() == [[4, 4]]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"0.weight": (2, 3)}, "the checkpoint lacks '0.bias'"),
        ({"0.weight": (2, 3), "0.bias": (2,), "1.bias": (2,)}, "more than Sequential: '1.bias'"),
        ({"0.weight": (3, 2), "0.bias": (2,)}, r"'0.weight' has the shape \(3, 2\), not \(2, 3\)"),
    ],
)
def test_a_misfit_is_one_sentence(given, sentence):
    module = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(ValueError, match=sentence):
        checkpoint.load_state(module, {name: torch.ones(shape) for name, shape in given.items()})


def test_a_module_without_memory_takes_the_tensors_over():
    with torch.device("meta"):
        module = nn.Linear(2, 2)
    checkpoint.load_state(module, {"weight": torch.eye(2), "bias": torch.zeros(2)})
    assert module(torch.tensor([[1.0, 2.0]])).tolist() == [[1, 2]]


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_weight_norm_is_folded(kind):
    random = np.random.RandomState(0)
    direction, gain = random.standard_normal((4, 3, 5)), random.random_sample((4, 1, 1))
    weights = {
        "discriminators.0.convs.0.weight_v": direction.astype(kind),
        "discriminators.0.convs.0.weight_g": gain.astype(kind),
        "discriminators.0.conv_post.bias": np.ones(1, kind),
    }
    folded = checkpoint.discriminator_state(weights)
    assert set(folded) == {"discriminators.0.convs.0.weight", "discriminators.0.score.bias"}
    weight = folded["discriminators.0.convs.0.weight"]
    assert weight.dtype == torch.float32
    np.testing.assert_allclose(weight.flatten(1).norm(dim=1), gain[:, 0, 0], rtol=1e-3)


def test_unknown_residual_blocks_are_refused():
    with pytest.raises(ValueError, match="residual blocks of kind '2'"):
        checkpoint.sovits_config({}, {"model": {"resblock": "2"}, "data": {}})
