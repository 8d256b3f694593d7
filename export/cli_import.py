"""`selftalk import`: a pair of GPT-SoVITS checkpoints becomes a voice model of the user.

Knows the words of the command line; the reading is the importer's.
"""

import argparse
import json
from pathlib import Path

from selftalk.export.voice_model import import_voice_model, load_voice_model
from selftalk.stream.home import data_folder


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `import` to the command line."""
    parser = subparsers.add_parser(
        "import",
        help="import a GPT-SoVITS voice (v1, v2, v2Pro, v2ProPlus)",
        description="Read a pair of GPT-SoVITS checkpoints without ever running code from them.",
    )
    parser.add_argument("s1", type=Path, metavar="S1.ckpt", help="the GPT checkpoint")
    parser.add_argument("s2", type=Path, metavar="S2.pth", help="the SoVITS checkpoint")
    parser.add_argument("--name", required=True, help="name of the model: letters, digits, - and _")
    parser.add_argument("--replace", action="store_true", help="overwrite a model of that name")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import, and say what was imported; errors are `SelftalkError`s for the caller to print."""
    folder = import_voice_model(args.s1, args.s2, args.name, data_folder(), replace=args.replace)
    model = load_voice_model(folder)
    parameters = sum(t.size for stage in (model.s1, model.s2) for t in stage.tensors.values())
    if args.json:
        imported = {"name": model.name, "version": model.version, "parameters": parameters}
        print(json.dumps({**imported, "folder": str(folder)}))
        return 0
    print(f"imported {model.name} ({model.version}, {parameters / 1e6:.1f} M parameters): {folder}")
    print(f"next: selftalk export {model.name}")
    return 0
