import pytest

from selftalk.export.checkpoint_layout import MAX_CONFIG_CHARACTERS, recognise
from selftalk.export.checkpoint_pickle import HParams, Ordered, Storage, TensorPlace
from selftalk.stream.errors import CheckpointError


def tensor(*shape: int) -> TensorPlace:
    return TensorPlace(Storage("0", "float16", 1 << 20), 0, shape, (1,) * len(shape))


def s1(rows: int) -> dict[object, object]:
    return {
        "model.ar_text_embedding.word_embeddings.weight": tensor(rows, 8),
        "model.ar_predict_layer.weight": tensor(1025, 8),
    }


def s2(rows: int, *, speaker: bool = False, kernel: int = 16) -> dict[object, object]:
    weight: dict[object, object] = {"enc_p.text_embedding.weight": tensor(rows, 8)}
    if speaker:
        weight["sv_emb.weight"] = tensor(1024, 20480)
    return {**weight, "dec.ups.0.weight_v": tensor(8, 4, kernel)}


def root(weight: dict[object, object], config: object = None, **others: object) -> Ordered:
    return Ordered({"weight": weight, "config": {} if config is None else config, **others})


@pytest.mark.parametrize(
    ("tag", "weight", "kind", "version"),
    [
        ("PK", s1(512), "s1", "v1"),
        ("PK", s1(732), "s1", "v2"),
        ("PK", s1(120), "s1", "unknown"),
        ("PK", s2(322), "s2", "v1"),
        ("00", s2(322), "s2", "v1"),
        ("PK", s2(732), "s2", "v2"),
        ("01", s2(732), "s2", "v2"),
        ("PK", s2(732, speaker=True), "s2", "v2Pro"),
        ("05", s2(732, speaker=True), "s2", "v2Pro"),
        ("PK", s2(732, speaker=True, kernel=20), "s2", "v2ProPlus"),
        ("06", s2(732, speaker=True), "s2", "v2ProPlus"),
    ],
)
def test_stage_and_version_are_told_by_the_layers(tag, weight, kind, version):
    found = recognise(tag, root(weight, info="8epoch"))
    assert (found.kind, found.version, found.info) == (kind, version, "8epoch")
    assert found.weight == weight


def test_a_version_in_the_config_is_not_believed():
    found = recognise("PK", root(s2(322), {"model": {"version": "v2Pro"}}))
    assert found.version == "v1"


def test_hparams_and_tuples_become_what_json_holds():
    hparams = HParams({"model": HParams({"rates": (10, 8), "drop": 0.1}), 3: [None, True]})
    found = recognise("PK", root(s2(732), hparams))
    assert found.config == {"model": {"rates": [10, 8], "drop": 0.1}, "3": [None, True]}


@pytest.mark.parametrize(
    ("tag", "weight", "others", "sentence"),
    [
        ("03", s2(732), {}, r"v3 \(LoRA\)"),
        ("04", s2(732), {}, r"v4 \(LoRA\)"),
        ("02", s2(732), {}, "v3 voice"),
        ("PK", {**s2(732), "cfm.estimator.x": tensor(1)}, {}, "v3 or v4 voice"),
        ("PK", {"cfm.to_q.lora_A.default.weight": tensor(1)}, {}, "LoRA"),
        ("PK", s2(732), {"lora_rank": 32}, "LoRA"),
        ("05", s2(732), {}, "tag 05 but has the layers of v2"),
        ("00", s2(732, speaker=True), {}, "tag 00 but has the layers of v2Pro"),
        ("PK", s2(500), {}, "500 symbols"),
        ("PK", {"discriminators.0.x": tensor(1)}, {}, "discriminator"),
        ("PK", {"layer": tensor(1)}, {}, "neither"),
    ],
)
def test_other_files_are_named_and_refused(tag, weight, others, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        recognise(tag, root(weight, **others))


def test_a_training_state_is_told_from_a_voice():
    with pytest.raises(CheckpointError, match="training state"):
        recognise("PK", {"model": {}, "optimizer": {}, "iteration": 1})


def test_a_config_may_not_multiply_a_long_text():
    long = "a" * (MAX_CONFIG_CHARACTERS // 10)
    recognise("PK", root(s2(732), {"a": [long] * 9}))
    with pytest.raises(CheckpointError, match="too large"):
        recognise("PK", root(s2(732), {"a": [long] * 10}))


def test_a_config_may_not_contain_itself():
    endless: dict[object, object] = {}
    endless["again"] = endless
    with pytest.raises(CheckpointError, match="contains itself"):
        recognise("PK", root(s2(732), endless))
