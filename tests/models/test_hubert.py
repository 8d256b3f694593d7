"""Parity of `Hubert` with the HuBERT of `transformers` 5.23 on tiny random weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from selftalk.models import checkpoint
from selftalk.models.hubert import Hubert, HubertConfig

STORED = Path(__file__).parents[1] / "data" / "hubert_tiny.npz"
NEW_NAMES = {"original0": "weight_g", "original1": "weight_v"}


@pytest.fixture(scope="module")
def stored():
    with np.load(STORED, allow_pickle=False) as arrays:
        return dict(arrays)


def weights_of(stored):
    return {
        name.removeprefix("weight:"): array
        for name, array in stored.items()
        if name.startswith("weight:")
    }


def old_name(name):
    """What files written before torch 2.1 call a tensor."""
    path, _, last = name.rpartition(".")
    return f"hubert.{path.replace('.parametrizations.weight', '')}.{NEW_NAMES.get(last, last)}"


@pytest.mark.parametrize("rename", [str, old_name])
@torch.inference_mode()
def test_parity(stored, rename):
    config = checkpoint.hubert_config(json.loads(str(stored["config"])))
    model = Hubert(config).eval()
    weights = {rename(name): array for name, array in weights_of(stored).items()}
    checkpoint.load_state(model, checkpoint.hubert_state(weights))
    features = model(torch.from_numpy(stored["wave"]))
    assert features.shape[1] == stored["wave"].shape[1] // config.hop_samples
    np.testing.assert_allclose(features, stored["features"], atol=1e-5)


def test_large_models_are_refused(stored):
    config = json.loads(str(stored["config"])) | {"do_stable_layer_norm": True}
    with pytest.raises(ValueError, match="chinese-hubert-base"):
        checkpoint.hubert_config(config)


def test_size_of_the_base_model():
    with torch.device("meta"):
        model = Hubert(HubertConfig())
    # The published size, less the mask vector and the gains of one weight norm.
    assert sum(each.numel() for each in model.parameters()) == 94_371_712 - 768 - 128
