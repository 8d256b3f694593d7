import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fakes_checkpoints import Entry, archive, mapping, tensor, voice_file
from safetensors.numpy import save_file

from selftalk.export import cli_train, official_clone, official_training
from selftalk.export.importer import read_weights
from selftalk.export.official_training import (
    Networks,
    Training,
    make_run,
    save_trained,
    sovits_of,
)
from selftalk.export.voice_model import import_voice_model, load_voice_model
from selftalk.models import checkpoint, weight_norm
from selftalk.models.training.dataset import (
    FORMAT,
    Description,
    Item,
    Recorded,
    item_path,
    read_list,
)
from selftalk.models.training.dataset import write_description as describe
from selftalk.models.training.loop import Run
from selftalk.stream.errors import AudioFileError, CheckpointError, ConfigError
from selftalk.stream.studio.recording import Slice

GOLDEN = Path(os.environ.get("SELFTALK_GOLDEN") or Path(__file__).parents[1] / "data" / "golden")
needs_golden = pytest.mark.skipif(
    not (GOLDEN / "s2_v2.pth").is_file() or not (GOLDEN / "s1.ckpt").is_file(),
    reason="this set has no v2",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    import_voice_model(GOLDEN / "s1.ckpt", GOLDEN / "s2_v2.pth", "base", folder)
    return folder


def recordings(folder, version="v2"):
    (folder / "items").mkdir(parents=True)
    random = np.random.default_rng(0)
    items = []
    for index in range(3):
        item = Recorded(
            wave=random.integers(-999, 999, 640 * 40).astype(np.int16),
            ssl=random.standard_normal((40, 768)).astype(np.float16),
            tokens=random.integers(0, 30, 20),
            phones=random.integers(0, 322, 8),
        )
        item.save(item_path(folder, str(index)))
        items.append(Item(str(index), f"{index}.wav", "me", "en", "hi", 640 * 40, 8))
    describe(folder, Description(FORMAT, version, 32_000, tuple(items)))
    return folder


@needs_golden
def test_a_trained_stage_becomes_a_voice_model(home, tmp_path):
    base = home / "models" / "base"
    training = Training("s1", base, recordings(tmp_path / "set"), tmp_path / "run", 1, 2)
    run = make_run(training)
    assert run.schedule.steps > 0
    run._one_step()
    made = load_voice_model(save_trained(run, training, "mine", home))
    before = load_voice_model(base)
    assert made.s1.tensors.keys() == before.s1.tensors.keys()
    state = checkpoint.t2s_state(made.s1.tensors)
    trained = run.task.model.state_dict()
    assert all(torch.allclose(state[name], trained[name], atol=2e-3) for name in state)
    changed = [not np.array_equal(made.s1.tensors[n], before.s1.tensors[n]) for n in state
               if n in made.s1.tensors] or [True]  # fmt: skip
    assert any(changed)
    assert made.s2.tensors.keys() == before.s2.tensors.keys()


@needs_golden
def test_stage_2_comes_back_folded(home, tmp_path):
    base = home / "models" / "base"

    class Task:
        model = sovits_of(load_voice_model(base))

    class Run:
        task, step = Task, 7

    weight_norm.attach(Task.model)
    with torch.no_grad():
        Task.model.sovits.generator.enter.bias += 1
    training = Training("s2", base, tmp_path, tmp_path, 8, 2)
    made = load_voice_model(save_trained(Run, training, "other", home))
    assert made.s2.info == "8epoch_7iteration"
    again = sovits_of(made).sovits
    weight_norm.fold(Task.model)
    for name, value in Task.model.sovits.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=1e-3, atol=1e-3)


@needs_golden
def test_the_base_is_never_overwritten(home, tmp_path):
    base = home / "models" / "base"

    class Run:
        class task:  # noqa: N801
            model = official_training.t2s_of(load_voice_model(base))

        step = 1

    with pytest.raises(ConfigError, match="another name"):
        save_trained(Run, Training("s1", base, tmp_path, tmp_path, 1, 1), "base", home)


@needs_golden
def test_recordings_of_another_version_are_refused(home, tmp_path):
    training = Training(
        "s1", home / "models" / "base", recordings(tmp_path / "set", "v1"), tmp_path, 1, 2
    )
    with pytest.raises(ConfigError, match="prepared for v1"):
        make_run(training)


def test_tensors_of_any_network_are_read(tmp_path):
    values = np.arange(732, dtype=np.float16)
    save_file({"a.weight": values}, tmp_path / "m.safetensors")
    assert np.array_equal(read_weights(tmp_path / "m.safetensors")["a.weight"], values)
    pickle = b"\x80\x02" + mapping({"b.weight": tensor([732])}) + b"."
    (tmp_path / "m.bin").write_bytes(
        archive([Entry("a/data.pkl", pickle), Entry("a/data/0", values.tobytes())])
    )
    assert np.array_equal(read_weights(tmp_path / "m.bin")["b.weight"], values)


def test_what_is_no_network_is_refused(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="safetensors"):
        read_weights(tmp_path / "m.safetensors")
    (tmp_path / "m.bin").write_bytes(voice_file(b"\x80\x02K\x01."))
    with pytest.raises(CheckpointError, match="no tensors"):
        read_weights(tmp_path / "m.bin")


def test_the_stage_of_nano_comes_first():
    given = ["--data", "d", "--stage", "t2s", "--out", "o"]
    assert cli_train.stage_first(given) == ["t2s", "--data", "d", "--out", "o"]


def test_an_unknown_voice_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="no imported voice 'nobody'"):
        cli_train.model_folder("nobody")


@pytest.fixture
def cloning(tmp_path, monkeypatch):
    """An imported voice, a recording, and one epoch of each stage."""
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    monkeypatch.setattr(official_clone, "EPOCHS", {"s1": 1, "s2": 1})
    slices = (Slice(np.zeros(1600, np.float32), 16_000, text="Hi."),)
    spoken = SimpleNamespace(name="me", language="en", slices=slices)
    base = import_voice_model(GOLDEN / "s1.ckpt", GOLDEN / "s2_v2.pth", "base", tmp_path)
    return base, spoken


def prepare(listed, prepared, *_):
    """In place of HuBERT: three recordings of noise."""
    assert [line.text for line in read_list(listed)] == ["Hi."]
    if not prepared.exists():
        recordings(prepared)
    return 3, {}


@needs_golden
def test_cloning_trains_both_stages_and_leaves_the_base(cloning, tmp_path, monkeypatch):
    base, spoken = cloning
    monkeypatch.setattr(official_clone, "prepare_recordings", prepare)
    nano = tmp_path / "cloning" / "me" / "run"  # of nano's voice of that name, still learning
    nano.mkdir(parents=True)
    before = load_voice_model(base)
    made = load_voice_model(official_clone.fine_tune("me", "base", spoken, Networks(Path())))
    after = load_voice_model(base)
    for stage in ("s1", "s2"):
        was, now, kept = (getattr(model, stage).tensors for model in (before, made, after))
        shared = was.keys() & now.keys()  # weight norm is folded
        assert any(not np.array_equal(was[name], now[name]) for name in shared)
        assert all(np.array_equal(was[name], kept[name]) for name in was)
    assert not (tmp_path / "fine-tuning" / "me").exists()  # recordings are not left in the cache
    assert nano.exists()


@needs_golden
def test_a_stopped_cloning_goes_on(cloning, tmp_path, monkeypatch):
    """What was learnt before the second stage failed is not learnt again, and nothing else is."""
    _, spoken = cloning
    monkeypatch.setattr(official_clone, "prepare_recordings", prepare)
    trained = []
    step = Run._one_step

    def stopped(run):
        trained.append(type(run).__name__)
        if trained[-1] == "SemanticRun" and trained.count("SemanticRun") == 1:
            raise KeyboardInterrupt
        return step(run)

    monkeypatch.setattr(Run, "_one_step", stopped)
    with pytest.raises(KeyboardInterrupt):
        official_clone.fine_tune("me", "base", spoken, Networks(Path()))
    stage_2 = trained.count("AdversarialRun")
    assert stage_2 > 0
    official_clone.fine_tune("me", "base", spoken, Networks(Path()))
    assert trained.count("AdversarialRun") == stage_2


@needs_golden
def test_other_recordings_are_not_learnt_from_where_others_stopped(cloning):
    base, spoken = cloning
    others = (Slice(np.ones(1600, np.float32), 16_000, text="Hi."),)
    other = SimpleNamespace(name="me", language="en", slices=others)
    names = {official_clone.work_name(each, base) for each in (spoken, other)}
    assert len(names) == 2


@needs_golden
def test_cloning_says_why_nothing_can_be_learnt(cloning, monkeypatch):
    _, spoken = cloning
    monkeypatch.setattr(official_clone, "prepare_recordings", lambda *_: (0, {"0": "too short"}))
    with pytest.raises(AudioFileError, match="too short"):
        official_clone.fine_tune("me", "base", spoken, Networks(Path()))
