"""`selftalk reference`: a voice for an imported GPT-SoVITS model, from a recording."""

import argparse
from pathlib import Path

from selftalk.stream.audio import AudioChunk, Float32Array, read_audio
from selftalk.stream.bundle import Bundle, default_bundle
from selftalk.stream.errors import VoiceError
from selftalk.stream.pitch import mean_log_pitch, track_pitch
from selftalk.stream.sovits.reference import ReferenceListener
from selftalk.stream.speaker import SpeakerEncoder
from selftalk.stream.text import LANGUAGES
from selftalk.stream.text.language_guess import guess_language
from selftalk.stream.voices import SUFFIX, Voice, check_voice_name


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `reference` to the command line."""
    parser = subparsers.add_parser(
        "reference",
        help="give an imported voice model a voice",
        description="Make a voice for an imported GPT-SoVITS model of a recording of 3 to 10 s.",
    )
    parser.add_argument("recording", type=Path, help="clean speech of one person")
    parser.add_argument("--bundle", required=True, help="name or folder of the exported model")
    parser.add_argument("--text", default="", help="exactly what is said in the recording")
    parser.add_argument("--language", choices=LANGUAGES, help="of the text; by default guessed")
    parser.add_argument("--name", help="of the voice; by default that of the model")
    parser.add_argument(
        "--stock",
        metavar="ORIGIN",
        default="",
        help="the voice belongs to nobody: say what synthetic source it is from",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the voice; see `add_parser`."""
    bundle = Bundle.load(args.bundle)
    if bundle.manifest.kind != "sovits":
        raise VoiceError(f"'{bundle.manifest.name}' is no imported GPT-SoVITS model")
    name = check_voice_name(args.name or bundle.manifest.name.lower())
    recording = read_audio(args.recording)
    language = args.language or guess_language(args.text)
    reference, advice = ReferenceListener(bundle).listen(recording, args.text, language)
    speaker, pitch = _speaker(recording)
    origin = f"stock: {args.stock}" if args.stock else "recording"
    voice = Voice(name, speaker, pitch, {"origin": origin}, reference=reference)
    path = bundle.voices_folder / f"{name}{SUFFIX}"
    path.parent.mkdir(exist_ok=True)
    voice.save(path)
    print(f"voice '{name}': {path}")
    if advice:
        print(advice)
    if not args.stock:
        print(f"it is a person's voice: its owner agrees with `selftalk consent give {name}`")
    return 0


def _speaker(recording: AudioChunk) -> tuple[Float32Array, float]:
    """Who it is, for consent to be tied to; and how high."""
    encoder = SpeakerEncoder(default_bundle().graph_path("speaker"))
    return encoder.embed(recording), mean_log_pitch(track_pitch(recording))
