"""An imported voice model: a folder with both stages as safetensors and one JSON file.

Knows where the folder is and that its two stages fit together; not how checkpoints are read, nor
what the layers compute. A folder appears whole or not at all.

    models/NAME/s1.safetensors   phonemes to semantic tokens
    models/NAME/s2.safetensors   semantic tokens to speech
    models/NAME/model.json       name, version, and each stage's config, note and hash
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from selftalk.export.checkpoint_tensors import Array
from selftalk.export.checkpoint_worker import LAYOUT_FILE, TENSORS_FILE
from selftalk.export.importer import Checkpoint, unpack_checkpoint
from selftalk.stream.errors import CheckpointError, ConfigError

FORMAT_VERSION = 1
DESCRIPTION_FILE = "model.json"
STAGES = ("s1", "s2")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = re.compile(r"(?i)con|prn|aux|nul|com[0-9]|lpt[0-9]")  # devices, on Windows
_STAGE_NAMES = {"s1": "GPT (s1)", "s2": "SoVITS (s2)"}


@dataclass(frozen=True, slots=True)
class VoiceModel:
    """Both stages of an imported voice."""

    name: str
    version: str
    """v1, v2, v2Pro or v2ProPlus."""
    s1: Checkpoint
    s2: Checkpoint


def models_folder(home: Path) -> Path:
    """Where imported voice models live below the user's home folder of selftalk."""
    return home / "models"


def import_voice_model(s1: Path, s2: Path, name: str, home: Path, *, replace: bool = False) -> Path:
    """Import a pair of GPT-SoVITS checkpoints as one voice model.

    Args:
        s1: the GPT checkpoint, `.ckpt`.
        s2: the SoVITS checkpoint, `.pth`.
        name: an id for the model: letters, digits, `-` and `_`.
        home: the user's home folder of selftalk; the model goes to `models/NAME` in it.
        replace: overwrite a model of that name.

    Returns:
        The model's folder.

    Raises:
        ConfigError: the name is unsafe or taken.
        CheckpointError: a file is refused or the two do not belong together.
    """
    target = _target(name, home, replace)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".import-", dir=target.parent) as staging:
            model = Path(staging) / "model"
            _unpack_pair({"s1": s1, "s2": s2}, name, Path(staging), model)
            _put_in_place(model, target, Path(staging) / "replaced")
    except OSError as error:
        raise CheckpointError(
            f"the model cannot be written to {target} ({error.strerror})"
        ) from None
    return target


def derive_voice_model(
    base: Path, name: str, home: Path, stage: str, tensors: dict[str, Array], info: str
) -> Path:
    """Make a voice model of another one, with one stage trained further.

    Args:
        base: folder of the model it was trained from.
        name: of the result; if it exists, its other stage stays and this one is replaced.
        home: the user's home folder of selftalk.
        stage: "s1" or "s2".
        tensors: of the trained stage, under the names its base has.
        info: a note, such as the number of steps.

    Raises:
        ConfigError: the name is unsafe, or that of the base.
        CheckpointError: the models do not belong together, or the disk is full.
    """
    target = _target(name, home, replace=True)
    if target.resolve() == base.resolve():
        raise ConfigError(f"{name!r} is what is trained from; give the result another name")
    source = target if target.exists() else base
    try:
        described = json.loads((source / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        trained = json.loads((base / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        if described["version"] != trained["version"]:
            raise CheckpointError(f"the voice model {name!r} is of another version than its base")
        with tempfile.TemporaryDirectory(prefix=".train-", dir=target.parent) as staging:
            model = Path(staging) / "model"
            shutil.copytree(source, model)
            path = model / f"{stage}.safetensors"
            save_file(tensors, path)
            described[stage] = {**trained[stage], "info": info, "sha256": _synced_sha256(path)}
            written = model / DESCRIPTION_FILE
            text = json.dumps({**described, "name": name}, ensure_ascii=False, indent=1)
            written.write_text(text, encoding="utf-8")
            _synced_sha256(written)
            _put_in_place(model, target, Path(staging) / "replaced")
    except (OSError, KeyError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"the model cannot be written to {target} ({error})") from None
    return target


def load_voice_model(folder: Path) -> VoiceModel:
    """Load an imported model and check that its files are the imported ones.

    Raises:
        CheckpointError: a file is missing, damaged, or of a later format.
    """
    try:
        described = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        if described["format_version"] != FORMAT_VERSION:
            raise CheckpointError(f"the voice model in {folder} is of a later format; import again")
        s1, s2 = (_load_stage(folder, stage, described[stage]) for stage in STAGES)
        return VoiceModel(described["name"], described["version"], s1, s2)
    except CheckpointError:
        raise
    except (OSError, ValueError, TypeError, KeyError, SafetensorError):
        raise CheckpointError(f"the voice model in {folder} is missing or damaged") from None


def _target(name: str, home: Path, replace: bool) -> Path:
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for a voice model; use 1 to 64 letters, digits, '-' and '_', "
            "starting with a letter or digit"
        )
    target = models_folder(home) / name
    if target.exists() and not replace:
        raise ConfigError(f"a voice model named {name!r} exists already; replace it or rename")
    return target


def _unpack_pair(files: dict[str, Path], name: str, staging: Path, model: Path) -> None:
    model.mkdir()
    stages: dict[str, dict[str, Any]] = {}
    for stage, file in files.items():
        unpacked = staging / stage
        unpacked.mkdir()
        unpack_checkpoint(file, unpacked)
        stages[stage] = json.loads((unpacked / LAYOUT_FILE).read_text(encoding="utf-8"))
        _check_stage(file, stages[stage].pop("kind"), stage)
        tensors = (unpacked / TENSORS_FILE).rename(model / f"{stage}.safetensors")
        stages[stage]["sha256"] = _synced_sha256(tensors)
    _check_pair(stages["s1"]["version"], stages["s2"]["version"])
    description = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "version": stages["s2"]["version"],
        **stages,
    }
    written = model / DESCRIPTION_FILE
    written.write_text(json.dumps(description, ensure_ascii=False, indent=1), encoding="utf-8")
    _synced_sha256(written)


def _check_stage(file: Path, found: str, wanted: str) -> None:
    if found != wanted:
        raise CheckpointError(
            f"{file.name!r} is a {_STAGE_NAMES[found]} checkpoint where a {_STAGE_NAMES[wanted]} "
            "one is wanted; give the s1 .ckpt first and the s2 .pth second"
        )


def _check_pair(s1_version: str, s2_version: str) -> None:
    """Stages of different symbol tables would speak nonsense."""
    if s1_version != "unknown" and (s1_version == "v1") != (s2_version == "v1"):
        raise CheckpointError(
            f"the GPT checkpoint is of version {s1_version} and the SoVITS checkpoint of "
            f"{s2_version}; both must be of v1 or both of later versions"
        )


def _synced_sha256(path: Path) -> str:
    with path.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return digest


def _put_in_place(model: Path, target: Path, replaced: Path) -> None:
    """Rename the finished folder; an old one is moved aside first and goes with the staging."""
    if target.exists():
        target.rename(replaced)
    try:
        model.rename(target)
    except OSError:
        if replaced.exists():
            replaced.rename(target)
        raise
    if replaced.exists():
        shutil.rmtree(replaced)


def _load_stage(folder: Path, stage: str, described: dict[str, Any]) -> Checkpoint:
    path = folder / f"{stage}.safetensors"
    if _sha256(path) != described["sha256"]:
        raise CheckpointError(f"the file {path} is not the one that was imported; import again")
    kind: Literal["s1", "s2"] = "s1" if stage == "s1" else "s2"
    return Checkpoint(
        load_file(path), described["config"], kind, described["version"], described["info"]
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
