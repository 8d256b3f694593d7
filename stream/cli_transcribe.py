"""`selftalk transcribe`: what is said in a recording."""

import argparse
import json
from pathlib import Path

from selftalk.stream.audio import read_audio
from selftalk.stream.cli_weights import ProgressBar
from selftalk.stream.recognizer import RecognizerConfig, load_recognizer


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
    """Print the transcript of a file of any length, piece by piece."""
    chunk = read_audio(args.file)
    config = RecognizerConfig(engine=args.engine, language=args.language)
    recognizer = load_recognizer(config, ProgressBar("fetching"))
    transcript = recognizer.transcribe(chunk, args.language)
    if args.json:
        line = {"text": transcript.text, "language": transcript.language, "file": str(args.file)}
        print(json.dumps(line, ensure_ascii=False))
    else:
        print(transcript.text)
    return 0
