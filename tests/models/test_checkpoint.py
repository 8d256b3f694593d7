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


SIZES = {
    "enc_p.text_embedding.weight": (322, 8),
    "quantizer.vq.layers.0._codebook.embed": (16, 6),
    "enc_p.encoder_text.ffn_layers.0.conv_1.weight": (12, 8, 3),
    "enc_p.encoder_text.attn_layers.0.emb_rel_k": (1, 9, 2),
    "enc_p.encoder_text.attn_layers.0.conv_q.weight": (8, 8, 1),
    "enc_p.encoder_text.attn_layers.1.conv_q.weight": (8, 8, 1),
    "enc_p.mrte.c_pre.weight": (10, 8, 1),
    "enc_p.proj.weight": (12, 8, 1),
    "ref_enc.spectral.0.fc.weight": (128, 1025),
    "ref_enc.fc.fc.weight": (10, 128),
    "dec.conv_pre.weight": (16, 6, 7),
    "dec.ups.0.weight_v": (16, 8, 9),
    "dec.resblocks.0.convs1.0.weight_v": (8, 8, 5),
}
SETTINGS = {
    "p_dropout": 0.1,
    "resblock": "1",
    "upsample_rates": [4],
    "resblock_dilation_sizes": [[1, 2, 3]],
}


def config_of(sizes=SIZES, **settings):
    weights = {name: np.zeros(shape, np.float16) for name, shape in sizes.items()}
    return checkpoint.sovits_config(weights, {"model": {**SETTINGS, **settings}})


def test_sizes_are_those_of_the_tensors_whatever_the_settings_say():
    config = config_of(n_layers=10**9, n_heads=7, upsample_kernel_sizes=[1], kernel_size=99)
    assert (config.layers, config.heads, config.kernel) == (2, 4, 3)
    assert (config.generator.kernels, config.generator.block_kernels) == ((9,), (5,))
    assert (config.symbols, config.style_bins, config.hop_samples) == (322, 1025, 4)


@pytest.mark.parametrize(
    ("sizes", "settings", "sentence"),
    [
        ({}, {"resblock": "2"}, "residual blocks of kind '2'"),
        ({}, {"upsample_rates": [10]}, r"kernels of \(9,\) samples cannot upsample by \(10,\)"),
        ({}, {"resblock_dilation_sizes": [[1, 10**9]]}, "dilations of 1 to 100"),
        ({"enc_p.mrte.c_pre.weight": (9, 8, 1)}, {}, "a style of 10 cannot be added to a text of"),
        (
            {"enc_p.encoder_text.ffn_layers.0.conv_1.weight": (12, 8, 4)}, {},
            "an even number of frames",
        ),
    ],
)  # fmt: skip
def test_sizes_that_no_official_model_has_are_refused(sizes, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        config_of({**SIZES, **sizes}, **settings)
