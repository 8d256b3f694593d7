"""Parity of `Bert` with the BERT of `transformers` 5.23 on tiny random weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from selftalk.models import checkpoint
from selftalk.models.bert import Bert, BertConfig

STORED = Path(__file__).parents[1] / "data" / "bert_tiny.npz"


@pytest.fixture(scope="module")
def stored():
    with np.load(STORED, allow_pickle=False) as arrays:
        return dict(arrays)


def old_name(name):
    """What files that were made from TensorFlow's call a tensor."""
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("Norm.bias", "Norm.beta")


@pytest.mark.parametrize("rename", [str, old_name])
@torch.inference_mode()
def test_parity_with_what_leaves_the_third_last_layer(stored, rename):
    config = checkpoint.bert_config(json.loads(str(stored["config"])))
    model = Bert(config).eval()
    weights = {
        rename(name.removeprefix("weight:")): array
        for name, array in stored.items()
        if name.startswith("weight:")
    }
    checkpoint.load_state(model, checkpoint.bert_state(weights, config.layers))
    rows = model(torch.from_numpy(stored["ids"]))
    np.testing.assert_allclose(rows, stored["rows"], atol=1e-5)


@pytest.mark.parametrize("other", [{"model_type": "gpt2"}, {"hidden_act": "relu"}])
def test_other_networks_are_refused(stored, other):
    config = json.loads(str(stored["config"])) | other
    with pytest.raises(ValueError, match="chinese-roberta-wwm-ext-large"):
        checkpoint.bert_config(config)


def test_size_of_the_official_model():
    with torch.device("meta"):
        model = Bert(BertConfig())
    # The published 325.5 M, less two of 24 layers of 12.6 M and the pooler of 1.05 M.
    assert sum(each.numel() for each in model.parameters()) == 299_280_384
