"""Few-shot fine-tuning of an imported GPT-SoVITS voice from a recording, both stages.

The same steps as `selftalk train`, one after another, each resumable. Knows nothing about consent.
"""

import hashlib
import shutil
from pathlib import Path

from selftalk.export.cli_train import device_of, model_folder
from selftalk.export.official_training import (
    EPOCHS,
    Networks,
    Stage,
    Training,
    make_run,
    prepare_recordings,
    save_trained,
)
from selftalk.export.voice_model import DESCRIPTION_FILE
from selftalk.models.training.progress import ProgressBar
from selftalk.stream.errors import AudioFileError
from selftalk.stream.home import cache_folder, data_folder
from selftalk.stream.sound.audio import write_atomically, write_wav
from selftalk.stream.studio.recording import Recording

BATCH = 4
STAGES: tuple[Stage, ...] = ("s2", "s1")


def fine_tune(name: str, model: str, recording: Recording, networks: Networks) -> Path:
    """Train both stages from an imported voice; return the folder of the new one.

    Args:
        name: of the result.
        model: name of the imported voice.
        recording: of the person.
        networks: what listens and reads.

    Raises:
        SelftalkError: something is missing or does not fit.
    """
    base = model_folder(model)
    works = cache_folder() / "fine-tuning" / name
    work = works / work_name(recording, base)
    listed = write_list(recording, work / "slices")
    prepared = work / "prepared"
    bar = ProgressBar("prepare")
    count, left_out = prepare_recordings(listed, prepared, base, networks, bar)
    if not count:
        reason = next(iter(left_out.values()), "there are no slices")
        raise AudioFileError(f"no slice of '{recording.name}' can be learnt from: {reason}")
    folder = base
    for place, stage in enumerate(STAGES, start=1):
        training = Training(
            stage, base, prepared, work / stage, EPOCHS[stage], BATCH, device_of("auto")
        )
        run = make_run(training, ProgressBar(f"{stage}, {place} of {len(STAGES)}"))
        run.fit()
        folder = save_trained(run, training, name, data_folder())
    shutil.rmtree(works)  # the recordings too: only the result stays
    return folder


def work_name(recording: Recording, base: Path) -> str:
    """The folder of the runs: other recordings or another base, another one."""
    digest = hashlib.sha256((base / DESCRIPTION_FILE).read_bytes())
    for piece in recording.slices:
        digest.update(piece.samples.tobytes())
        digest.update(piece.text.encode())
    return f"official-{digest.hexdigest()[:12]}"


def write_list(recording: Recording, folder: Path) -> Path:
    """Write slices as files, and the list that `train prepare` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index, piece in enumerate(recording.slices):
        write_wav(folder / f"{index:04d}.wav", piece.audio)
        if piece.text:
            lines.append(f"{index:04d}.wav|{recording.name}|{recording.language}|{piece.text}\n")
    write_atomically(folder / "list.txt", "".join(lines).encode())
    return folder / "list.txt"
