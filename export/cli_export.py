"""`selftalk export`: trained modules → a bundle that speaks without torch."""

import argparse
from pathlib import Path

from selftalk.stream.errors import BundleError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` to the command line."""
    parser = subparsers.add_parser("export", help="turn trained weights into a bundle")
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    nano = kinds.add_parser("nano", help="our own small model")
    nano.add_argument("--t2s", type=Path, required=True, help="model.safetensors of that stage")
    nano.add_argument("--vocoder", type=Path, required=True, help="likewise")
    nano.add_argument("--tokenizer", type=Path, help="likewise, to be able to read recordings")
    nano.add_argument("--timbres", type=Path, help="likewise, to be able to take on voices")
    nano.add_argument("--timbre-encoder", type=Path, help="likewise, to do that well")
    nano.add_argument("--speaker-encoder", type=Path, help="ge2e.onnx, to be included")
    nano.add_argument("--voices", type=Path, help="folder with .voice files, to be included")
    nano.add_argument("--languages", default="en,zh", help="what the weights were trained on")
    nano.add_argument(
        "--precision", choices=("fp32", "fp16", "int8"), help="by default the best of each graph"
    )
    nano.add_argument("--version", default="0.1", help="of the weights")
    nano.add_argument("-o", "--output", type=Path, required=True, help="the bundle's folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export; see `add_parser`."""
    try:
        from selftalk.export.nano import export_nano, load_modules
    except ImportError as error:
        raise BundleError(
            f"exporting needs the package '{error.name}': pip install 'selftalk[export]'"
        ) from error
    extra = {"speaker": args.speaker_encoder} if args.speaker_encoder else {}
    export_nano(
        load_modules(args.t2s, args.vocoder, args.tokenizer, args.timbres, args.timbre_encoder),
        args.output,
        precision=args.precision,
        extra_graphs=extra,
        voices=args.voices,
        languages=tuple(args.languages.split(",")),
        version=args.version,
    )
    total = sum(path.stat().st_size for path in args.output.rglob("*") if path.is_file())
    print(f"{args.output}: {total / 2**20:.1f} MiB")
    return 0
