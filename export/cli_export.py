"""`selftalk export`: an imported voice or trained weights → a bundle that speaks without torch."""

import argparse
import logging
from pathlib import Path

from selftalk.stream.errors import BundleError, ConfigError
from selftalk.stream.home import data_folder
from selftalk.stream.synthesis.bundle import bundles_folder

NANO = "nano"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="turn an imported or trained voice model into a bundle",
        description="Turn a voice model into a bundle: graphs that speak without torch.",
    )
    parser.add_argument(
        "model", help=f"name or folder of an imported voice model, or '{NANO}' for our own"
    )
    parser.add_argument("-o", "--output", type=Path, help="the bundle's folder")
    parser.add_argument(
        "--precision", choices=("fp32", "int8", "fp16"), help="by default what suits each graph"
    )
    imported = parser.add_argument_group("imported voice models")
    imported.add_argument("--hubert", type=Path, metavar="FOLDER", help="chinese-hubert-base")
    imported.add_argument(
        "--speaker-model",
        type=Path,
        metavar="FILE",
        help="pretrained_eres2netv2w24s4ep4.ckpt, which voices of v2Pro need",
    )
    imported.add_argument(
        "--bert",
        type=Path,
        metavar="FOLDER",
        help="chinese-roberta-wwm-ext-large, which reads Chinese; adds 0.4 GB, in fp32 1.2 GB",
    )
    nano = parser.add_argument_group(NANO)
    nano.add_argument("--t2s", type=Path, help="model.safetensors of that stage")
    nano.add_argument("--vocoder", type=Path, help="likewise")
    nano.add_argument("--tokenizer", type=Path, help="likewise, to read recordings")
    nano.add_argument("--timbres", type=Path, help="likewise, to take on voices")
    nano.add_argument("--timbre-encoder", type=Path, help="likewise, to do that better")
    nano.add_argument("--speaker-encoder", type=Path, help="ge2e.onnx, to be included")
    nano.add_argument("--voices", type=Path, help="folder with .voice files, to be included")
    nano.add_argument("--languages", default="en,zh", help="what the weights were trained on")
    nano.add_argument("--version", default="0.1", help="of the weights")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export; see `add_parser`."""
    output = args.output or bundles_folder() / Path(args.model).name
    # onnxruntime's quantizer, when imported, would have thousands of lines of everybody's logged
    logging.basicConfig(level=logging.ERROR)
    try:
        (_export_nano if args.model == NANO else _export_imported)(args, output)
    except ImportError as error:
        raise BundleError(
            f"exporting needs the package '{error.name}': pip install 'selftalk[export]'"
        ) from error
    total = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    print(f"{output}: {total / 2**20:.1f} MiB")
    if args.model != NANO:
        bundle = output if args.output else output.name
        print(f"next: selftalk reference CLIP.wav --bundle {bundle}")
    return 0


def _export_imported(args: argparse.Namespace, output: Path) -> None:
    from selftalk.export.official_training import bert_of, hubert_of, speaker_of
    from selftalk.export.sovits import Listeners, export_voice
    from selftalk.export.voice_model import models_folder

    if args.t2s or args.vocoder:
        raise ConfigError(f"--t2s and --vocoder are for '{NANO}'")
    folder = Path(args.model)
    if not (folder / "model.json").is_file():
        folder = models_folder(data_folder()) / args.model
    if not folder.is_dir():
        known = sorted(path.name for path in models_folder(data_folder()).glob("*"))
        raise ConfigError(
            f"there is no imported voice model '{args.model}'; there are: {', '.join(known) or '-'}"
        )
    listeners = Listeners(
        hubert_of(args.hubert) if args.hubert else None,
        speaker_of(args.speaker_model) if args.speaker_model else None,
        *(bert_of(args.bert) if args.bert else ()),
    )
    export_voice(
        folder, output, precision=args.precision or "int8", listeners=listeners, tell=print
    )


def _export_nano(args: argparse.Namespace, output: Path) -> None:
    from selftalk.export.nano import export_nano, load_modules

    if not (args.t2s and args.vocoder):
        raise ConfigError(f"'{NANO}' needs --t2s and --vocoder, the weights of its two stages")
    if args.precision == "fp16":
        raise ConfigError(f"'{NANO}' is exported as fp32 or int8")
    export_nano(
        load_modules(args.t2s, args.vocoder, args.tokenizer, args.timbres, args.timbre_encoder),
        output,
        precision=args.precision,
        extra_graphs={"speaker": args.speaker_encoder} if args.speaker_encoder else {},
        voices=args.voices,
        languages=tuple(args.languages.split(",")),
        version=args.version,
    )
