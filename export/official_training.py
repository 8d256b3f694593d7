"""The official stages from a voice model to a trained voice model.

Joins what reads models and networks safely with what trains. Knows nothing about the command line.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from selftalk.export.importer import read_weights
from selftalk.export.voice_model import VoiceModel, derive_voice_model, load_voice_model
from selftalk.models import checkpoint, weight_norm
from selftalk.models.bert import Bert
from selftalk.models.discriminator import PERIODS, PERIODS_PRO, Discriminators
from selftalk.models.eres2net import ERes2Net
from selftalk.models.hubert import Hubert
from selftalk.models.sovits import Sovits, TrainableSovits
from selftalk.models.t2s import Text2Semantic
from selftalk.models.training.adversarial import AdversarialRun
from selftalk.models.training.dataset import Recorded, load_items, read_description, read_list
from selftalk.models.training.loop import Run, Watch
from selftalk.models.training.prepare import Preparation, Read, prepare
from selftalk.models.training.semantic_task import SemanticRun, SemanticSchedule, SemanticTask
from selftalk.models.training.sovits_task import SovitsSchedule, SovitsTask
from selftalk.stream.errors import BundleError, CheckpointError, ConfigError
from selftalk.stream.sound.audio import Float32Array
from selftalk.stream.sovits.text_features import feature_rows, read_vocabulary
from selftalk.stream.synthesis.reference import Int64Array
from selftalk.stream.text.phonemes import Phonemes

EPOCHS = {"s1": 15, "s2": 8}
VALID_EVERY = 20  # one recording in so many is kept for validation
WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
VOCABULARY_FILES = ("vocab.txt", "tokenizer.json")

Stage = Literal["s1", "s2"]


@dataclass(frozen=True)
class Training:
    """What is trained from what into what."""

    stage: Stage
    base: Path
    """Folder of a voice model."""
    recordings: Path
    """Folder of a prepared set."""
    run_folder: Path
    epochs: int
    batch: int
    device: str = "cpu"
    preferences: bool = False
    judges: Path | None = None
    """The official s2D file of the base; without it the judges begin from nothing."""


@dataclass(frozen=True)
class Networks:
    """Where the networks are that listen and read, and are used as they are."""

    hubert: Path
    """Folder chinese-hubert-base."""
    speaker: Path | None = None
    """ERes2NetV2's file, for v2Pro."""
    bert: Path | None = None
    """Folder chinese-roberta-wwm-ext-large, for Chinese."""


def prepare_recordings(
    recordings: Path, folder: Path, base: Path, networks: Networks, watch: Watch
) -> tuple[int, dict[str, str]]:
    """Prepare a list of recordings for a base model; return how many, and why not the others.

    Raises:
        SelftalkError: the list, the model or a network cannot be read.
    """
    model = load_voice_model(base)
    pro = model.version.startswith("v2Pro")
    if pro and networks.speaker is None:
        raise ConfigError(f"'{model.name}' is a {model.version} voice; give --speaker-model too")
    preparation = Preparation(
        model.version,
        sovits_of(model).sovits.eval(),
        hubert_of(networks.hubert),
        speaker_of(networks.speaker) if networks.speaker and pro else None,
        reader_of(networks.bert) if networks.bert else None,
    )
    found = prepare(read_list(recordings), folder, preparation, watch)
    return len(found.items), found.left_out


def hubert_of(folder: Path) -> Hubert:
    """HuBERT from its `transformers` folder.

    Raises:
        CheckpointError: the folder holds something else.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = Hubert(checkpoint.hubert_config(config))
        weights = read_weights(_file_in(folder, WEIGHTS_FILES))
        checkpoint.load_state(model, checkpoint.hubert_state(weights))
    except (OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"'{folder}' holds no chinese-hubert-base: {error}") from error
    return model.eval()


def bert_of(folder: Path) -> tuple[Bert, dict[str, int]]:
    """BERT and its vocabulary from its `transformers` folder.

    Raises:
        CheckpointError: the folder holds something else.
    """
    try:
        config = checkpoint.bert_config(
            json.loads((folder / "config.json").read_text(encoding="utf-8"))
        )
        vocabulary = read_vocabulary(_file_in(folder, VOCABULARY_FILES))
        if max(vocabulary.values()) >= config.vocabulary:
            raise ValueError(f"its vocabulary has more than {config.vocabulary} words")
        with torch.device("meta"):
            model = Bert(config)
        weights = read_weights(_file_in(folder, WEIGHTS_FILES))
        checkpoint.load_state(model, checkpoint.bert_state(weights, config.layers))
    except (OSError, KeyError, ValueError, BundleError) as error:
        raise CheckpointError(
            f"'{folder}' holds no chinese-roberta-wwm-ext-large: {error}"
        ) from error
    return model.eval(), vocabulary


def _file_in(folder: Path, names: tuple[str, ...]) -> Path:
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise ValueError(f"it lacks {' or '.join(names)}")
    return found


def reader_of(folder: Path) -> Read:
    """What gives a text its features, by the BERT of a folder."""
    model, vocabulary = bert_of(folder)

    @torch.no_grad()
    def encode(ids: Int64Array) -> Float32Array:
        rows: Float32Array = model(torch.from_numpy(ids)[None])[0].numpy()
        return rows

    def read(phonemes: Phonemes) -> Float32Array | None:
        return feature_rows(phonemes, vocabulary, encode)

    return read


def speaker_of(path: Path) -> ERes2Net:
    """The speaker model of v2Pro from its file."""
    weights = read_weights(path)
    model = ERes2Net(checkpoint.speaker_config(weights))
    checkpoint.load_state(model, checkpoint.speaker_state(weights))
    return model.eval()


def sovits_of(model: VoiceModel) -> TrainableSovits:
    """Stage 2 of a voice model; the posterior encoder is random where the model has none."""
    tensors = model.s2.tensors
    trained = TrainableSovits(checkpoint.sovits_config(tensors, model.s2.config))
    checkpoint.load_state(trained.sovits, checkpoint.sovits_state(tensors))
    if has_posterior(model):
        checkpoint.load_state(trained.posterior, checkpoint.posterior_state(tensors))
    return trained


def has_posterior(model: VoiceModel) -> bool:
    """Whether stage 2 is complete; fine-tuned checkpoints lack what only training needs."""
    return any(name.startswith("enc_q.") for name in model.s2.tensors)


def t2s_of(model: VoiceModel) -> Text2Semantic:
    """Stage 1 of a voice model."""
    trained = Text2Semantic(checkpoint.t2s_config(model.s1.tensors, model.s1.config))
    checkpoint.load_state(trained, checkpoint.t2s_state(model.s1.tensors))
    return trained


def make_run(training: Training, watch: Watch | None = None) -> Run:
    """A run in its folder, at the step where it was left.

    Raises:
        SelftalkError: the model or the recordings cannot be read, or do not fit together.
    """
    model = load_voice_model(training.base)
    train, valid = read_recordings(training.recordings, model)
    torch.manual_seed(0)
    if training.stage == "s1":
        task = SemanticTask(
            t2s_of(model), train, valid, batch=training.batch, device=training.device,
            preferences=training.preferences,
        )  # fmt: skip
        schedule = SemanticSchedule(steps=0)
        steps = -(-training.epochs * task.batches.per_epoch // schedule.accumulate)
        return SemanticRun(task, SemanticSchedule(steps=steps), training.run_folder, watch)
    judges = judges_of(training.judges) if training.judges else None
    judged = SovitsTask(
        sovits_of(model), train, valid, judges=judges, batch=training.batch, device=training.device
    )
    per_epoch = judged.batches.per_epoch
    schedule2 = SovitsSchedule(steps=training.epochs * per_epoch, epoch_steps=per_epoch)
    return AdversarialRun(judged, schedule2, training.run_folder, watch)


def judges_of(path: Path) -> Discriminators:
    """The official discriminators from their s2D file."""
    weights = read_weights(path)
    periods = {name.split(".")[1] for name in weights if name.startswith("discriminators.")}
    judges = Discriminators(PERIODS_PRO if len(periods) > 1 + len(PERIODS) else PERIODS)
    checkpoint.load_state(judges, checkpoint.discriminator_state(weights))
    return judges


def read_recordings(folder: Path, model: VoiceModel) -> tuple[list[Recorded], list[Recorded]]:
    """Recordings to train on and to validate with.

    Raises:
        ConfigError: they were prepared for another version.
    """
    described = read_description(folder)
    if described.version != model.version:
        raise ConfigError(
            f"'{folder}' was prepared for {described.version}, '{model.name}' is {model.version}"
        )
    items = load_items(folder, described.items)
    held_out = items[VALID_EVERY - 1 :: VALID_EVERY]
    return [item for index, item in enumerate(items, 1) if index % VALID_EVERY], held_out


def save_trained(run: Run, training: Training, name: str, home: Path) -> Path:
    """Write what a run has trained as a voice model; return its folder."""
    base = load_voice_model(training.base)
    trained = run.task.model
    if isinstance(trained, Text2Semantic):
        weights = checkpoint.t2s_weights(cpu_state(trained), base.s1.tensors)
    else:
        assert isinstance(trained, TrainableSovits), type(trained)
        weights = checkpoint.sovits_weights(folded_state(trained.sovits), base.s2.tensors)
    note = f"{training.epochs}epoch_{run.step}iteration"
    stage = training.stage
    return derive_voice_model(training.base, name, home, stage, half(weights), note)


def folded_state(module: Sovits) -> dict[str, Tensor]:
    """The state of a module whose weights are split for training, joined again."""
    weight_norm.fold(module)
    state = cpu_state(module)
    weight_norm.attach(module)
    return state


def cpu_state(module: nn.Module) -> dict[str, Tensor]:
    """The state as tensors that nothing else holds."""
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}


def half(weights: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Weights as official checkpoints store them: in float16."""
    return {name: value.half().numpy() for name, value in weights.items()}
