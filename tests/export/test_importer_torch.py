"""Genuine files, written here by torch.save in every layout a trainer leaves, load bit-equal."""

import io
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest

from selftalk.export.checkpoint_worker import read_checkpoint_file
from selftalk.export.importer import read_checkpoint

torch = pytest.importorskip("torch")


class HParams:
    """As the trainer's: attributes, nested, pickled by the name `utils.HParams`."""

    def __init__(self, **settings):
        for name, value in settings.items():
            setattr(self, name, HParams(**value) if isinstance(value, dict) else value)


HParams.__module__, HParams.__qualname__ = "utils", "HParams"


@pytest.fixture(autouse=True)
def utils_module(monkeypatch):
    module = types.ModuleType("utils")
    module.HParams = HParams
    monkeypatch.setitem(sys.modules, "utils", module)


CONFIG = {"model": {"gin_channels": 512, "p_dropout": 0.1, "upsample_rates": [10, 8, 2, 2, 2]}}


def s1_weight(dtype=torch.float16, rows=732):
    return OrderedDict(
        {
            "model.ar_text_embedding.word_embeddings.weight": torch.randn(rows, 8).to(dtype),
            "model.ar_text_position.alpha": torch.ones(1).to(dtype),
            "model.ar_predict_layer.weight": torch.randn(1025, 8).to(dtype),
        }
    )


def s2_weight(dtype=torch.float16, rows=732, **others):
    return {"enc_p.text_embedding.weight": torch.randn(rows, 4).to(dtype), **others}


def pro_weight(kernel):
    return s2_weight(
        **{
            "sv_emb.weight": torch.randn(4, 8).half(),
            "dec.ups.0.weight_v": torch.randn(4, 2, kernel),
        }
    )


def saved(weight, config=None, **others):
    buffer = io.BytesIO()
    voice = OrderedDict(weight=weight, config=CONFIG if config is None else config, info="8epoch")
    torch.save(OrderedDict(voice, **others), buffer)
    return buffer.getvalue()


def assert_same(found, weight):
    assert found.keys() == weight.keys()
    for name, tensor in weight.items():
        exact = tensor.detach()
        exact = exact.float() if exact.dtype == torch.bfloat16 else exact
        assert found[name].dtype == exact.numpy().dtype, name
        assert found[name].shape == tuple(exact.shape), name
        assert found[name].tobytes() == exact.contiguous().numpy().tobytes(), name


def strided():
    whole = torch.randn(6, 10, 4).half()
    return s2_weight(
        turned=whole.permute(2, 0, 1),
        cut=whole[1:4, ::3, 1],
        scalar=whole[2, 3, 1],
        row=whole[5],
        empty=torch.zeros(0, 7),
    )


def tied():
    embedding = torch.randn(732, 4).half()
    return {"enc_p.text_embedding.weight": embedding, "tied": embedding, "view": embedding[:100].T}


def module_state():
    layer = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
    state = layer.state_dict()
    assert isinstance(state._metadata, OrderedDict)
    state["enc_p.text_embedding.weight"] = torch.randn(732, 4)
    return state


def every_type():
    dtypes = (torch.float64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
    numbers = {str(dtype)[6:]: torch.arange(-3, 9).to(dtype) for dtype in dtypes}
    return s2_weight(**numbers, truth=torch.tensor([True, False]))


LAYOUTS = {
    "s1, half, OrderedDict, v2": (s1_weight(), CONFIG, b"PK", ("s1", "v2")),
    "s1, float, v1": (s1_weight(torch.float32, 512), CONFIG, b"PK", ("s1", "v1")),
    "s2 v1, half, HParams": (s2_weight(rows=322), HParams(**CONFIG), b"PK", ("s2", "v1")),
    "s2 v2, float": (s2_weight(torch.float32), HParams(**CONFIG), b"PK", ("s2", "v2")),
    "s2 v2, bfloat16, tag 01": (s2_weight(torch.bfloat16), CONFIG, b"01", ("s2", "v2")),
    "s2 v1, tag 00": (s2_weight(rows=322), CONFIG, b"00", ("s2", "v1")),
    "s2 v2Pro, tag 05": (pro_weight(16), HParams(**CONFIG), b"05", ("s2", "v2Pro")),
    "s2 v2ProPlus, tag 06": (pro_weight(20), HParams(**CONFIG), b"06", ("s2", "v2ProPlus")),
    "s2 v2ProPlus, no tag": (pro_weight(20), HParams(**CONFIG), b"PK", ("s2", "v2ProPlus")),
    "strided and empty tensors": (strided(), CONFIG, b"PK", ("s2", "v2")),
    "tied tensors": (tied(), CONFIG, b"PK", ("s2", "v2")),
    "state of modules, with metadata": (module_state(), CONFIG, b"PK", ("s2", "v2")),
    "every type": (every_type(), CONFIG, b"PK", ("s2", "v2")),
    "parameters": (
        s2_weight(a=torch.nn.Parameter(torch.randn(3))), CONFIG, b"PK", ("s2", "v2")
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_genuine_layouts_load_bit_equal(layout, tmp_path):
    weight, config, tag, (kind, version) = LAYOUTS[layout]
    (tmp_path / "voice").write_bytes(tag + saved(weight, config)[2:])
    found, tensors = read_checkpoint_file(tmp_path / "voice")
    assert (found.kind, found.version, found.info) == (kind, version, "8epoch")
    assert found.config == CONFIG
    assert_same(tensors, weight)


@pytest.mark.parametrize("name", ["1795351800.8047972.pth", "小明_e8_s408.pth", "a b.pth"])
def test_a_file_saved_under_its_own_name_has_that_name_inside(name, tmp_path):
    weight = s2_weight()
    torch.save({"weight": weight, "config": CONFIG, "info": ""}, tmp_path / name)
    assert_same(read_checkpoint_file(tmp_path / name)[1], weight)


def test_the_confined_process_gives_the_same_arrays(tmp_path):
    weight = {**strided(), "half": torch.randn(5).bfloat16()}
    (tmp_path / "voice.pth").write_bytes(saved(weight, HParams(**CONFIG)))
    found = read_checkpoint(tmp_path / "voice.pth")
    assert_same(found.tensors, weight)
    assert found.config == CONFIG
    assert found.tensors["turned"].dtype == np.float16
