"""`selftalk transcribe`: what is said in a recording."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from selftalk.stream.cli.weights import ProgressBar
from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.listening.transcription import transcribe_file
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.sound.files import Recording


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `transcribe` to the command line."""
    parser = subparsers.add_parser("transcribe", help="write down what a recording says")
    parser.add_argument("file", type=Path, help="WAV, FLAC, OGG or MP3")
    parser.add_argument("--language", default="en", help="code of the spoken language")
    parser.add_argument(
        "--engine", default="auto", choices=("auto", "moonshine", "whisper", "remote")
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what a file of any length says, piece by piece; with --json, all of it at once."""
    Recording(args.file).close()  # a bad file is found before anything is loaded
    config = RecognizerConfig(engine=args.engine, language=args.language)
    recognizer = load_recognizer(config, ProgressBar("fetching"))
    segments = []
    for segment in transcribe_file(args.file, recognizer, load_vad(), args.language):
        segments.append(segment)
        if not args.json:
            print(segment.text, flush=True)
    if args.json:
        result = {
            "text": " ".join(segment.text for segment in segments),
            "language": args.language,
            "file": str(args.file),
            "segments": [dataclasses.asdict(segment) for segment in segments],
        }
        print(json.dumps(result, ensure_ascii=False))
    elif not segments:
        print("no speech was found", file=sys.stderr)
    return 0
