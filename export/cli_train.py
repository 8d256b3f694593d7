"""`selftalk train`: prepare recordings, train a stage of an official voice, or a stage of nano.

    selftalk train prepare LIST --model BASE --hubert FOLDER -o RECORDINGS
    selftalk train s1 RECORDINGS --model BASE --name NEW
    selftalk train s2 RECORDINGS --model BASE --name NEW
    selftalk train nano --stage vocoder --data CORPUS --out RUN …

Every command goes on where it was stopped.
"""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from selftalk.export.voice_model import load_voice_model, models_folder
from selftalk.stream.errors import BundleError, ConfigError
from selftalk.stream.home import cache_folder, data_folder

if TYPE_CHECKING:
    from selftalk.export.official_training import Training


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `train` to the command line."""
    parser = subparsers.add_parser("train", help="train a voice model further")
    whats = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    _add_prepare(whats)
    _add_stage(whats, "s1", "phonemes to semantic tokens (GPT)")
    _add_stage(whats, "s2", "semantic tokens to speech (SoVITS)")
    nano = whats.add_parser(
        "nano", help="a stage of our own small model", add_help=False, prefix_chars="\0"
    )
    nano.add_argument("rest", nargs=argparse.REMAINDER)
    parser.set_defaults(run=run)


def _add_prepare(whats: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    prepare = whats.add_parser("prepare", help="recordings and their texts, for s1 and s2")
    prepare.add_argument("list", type=Path, help="lines of audio|speaker|language|text")
    prepare.add_argument("--model", required=True, help="the imported voice to train from")
    prepare.add_argument("--hubert", type=Path, required=True, help="folder chinese-hubert-base")
    prepare.add_argument("--speaker-model", type=Path, help="ERes2NetV2's file, for v2Pro")
    prepare.add_argument(
        "--bert", type=Path, metavar="FOLDER", help="chinese-roberta-wwm-ext-large, for Chinese"
    )
    prepare.add_argument("-o", "--output", type=Path, required=True, help="folder of the result")


def _add_stage(
    whats: "argparse._SubParsersAction[argparse.ArgumentParser]", stage: str, purpose: str
) -> None:
    parser = whats.add_parser(stage, help=f"official voices: {purpose}")
    parser.add_argument("recordings", type=Path, help="what `train prepare` made")
    parser.add_argument("--model", required=True, help="the imported voice to train from")
    parser.add_argument("--name", required=True, help="of the resulting voice model")
    parser.add_argument("--out", type=Path, help="folder of the run; usually in the cache")
    parser.add_argument("--epochs", type=int, help="how often every recording is learnt from")
    parser.add_argument("--batch", type=int, default=4, help="recordings at once")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop and save after these")
    if stage == "s1":
        parser.add_argument("--preferences", action="store_true", help="punish repeats and gaps")
    else:
        parser.add_argument("--judges", type=Path, help="the s2D file of the base, to begin with")


def run(args: argparse.Namespace) -> int:
    """Run what was asked for; see `add_parser`."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise BundleError("training needs torch: pip install 'selftalk[train]'") from error
    if args.what == "nano":
        return _train_nano(args.rest)
    return _prepare(args) if args.what == "prepare" else _train(args)


def _train_nano(rest: list[str]) -> int:
    from selftalk.models.training import stages

    stages.main(stage_first(rest))
    return 0


def stage_first(rest: list[str]) -> list[str]:
    """`--stage vocoder --data D` → `vocoder --data D`, as the stages want it."""
    if "--stage" not in rest:
        return rest
    place = rest.index("--stage")
    return [*rest[place + 1 : place + 2], *rest[:place], *rest[place + 2 :]]


def _prepare(args: argparse.Namespace) -> int:
    from selftalk.export.official_training import Networks, prepare_recordings
    from selftalk.models.training.progress import ProgressBar

    networks = Networks(args.hubert, args.speaker_model, args.bert)
    count, left_out = prepare_recordings(
        args.list, args.output, model_folder(args.model), networks, ProgressBar("prepare")
    )
    for audio, reason in left_out.items():
        print(f"left out: {audio}: {reason}")
    print(f"{args.output}: {count} recordings; next: selftalk train s2 {args.output}")
    return 0 if count else 2


def _train(args: argparse.Namespace) -> int:
    from selftalk.export import official_training
    from selftalk.models.training.progress import ProgressBar

    training = official_training.Training(
        stage=args.what,
        base=model_folder(args.model),
        recordings=args.recordings,
        run_folder=args.out or cache_folder() / "training" / args.name / args.what,
        epochs=args.epochs or official_training.EPOCHS[args.what],
        batch=args.batch,
        device=device_of(args.device),
        preferences=getattr(args, "preferences", False),
        judges=getattr(args, "judges", None),
    )
    _say_what_is_missing(training)
    run = official_training.make_run(training, ProgressBar(args.what))
    run.fit(args.minutes)
    if run.step < run.schedule.steps:
        print(f"stopped at step {run.step} of {run.schedule.steps}; run it again to go on")
        return 0
    folder = official_training.save_trained(run, training, args.name, data_folder())
    print(f"{folder}; next: selftalk export {args.name}")
    return 0


def _say_what_is_missing(training: "Training") -> None:
    from selftalk.export.official_training import has_posterior

    if training.device == "cpu":
        print("training on the CPU: hours; the time left is shown as soon as it is known")
    if training.stage == "s2" and not has_posterior(load_voice_model(training.base)):
        print(
            "this voice was fine-tuned before and lacks its posterior encoder, which begins from"
            " nothing: better train from the pretrained s2G"
        )
    if training.stage == "s2" and training.judges is None:
        print("no --judges: the discriminators begin from nothing; better give the s2D file")


def model_folder(name: str) -> Path:
    """The folder of an imported voice.

    Raises:
        ConfigError: there is none of this name.
    """
    folder = models_folder(data_folder()) / name
    if Path(name).name != name or not folder.is_dir():
        known = sorted(path.name for path in models_folder(data_folder()).glob("[!.]*"))
        raise ConfigError(
            f"no imported voice '{name}'; known: {', '.join(known) or 'none, see selftalk import'}"
        )
    return folder


def device_of(wanted: str) -> str:
    """The device to train on.

    Raises:
        ConfigError: there is no such device.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError("torch finds no CUDA device here; use --device cpu")
    return wanted
