"""`selftalk reference`: a voice for an imported GPT-SoVITS model, from a recording."""

import argparse
from pathlib import Path

from selftalk.stream.errors import VoiceError
from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.sound.audio import AudioChunk, Float32Array, read_audio
from selftalk.stream.sound.pitch import mean_log_pitch, track_pitch
from selftalk.stream.sovits.clip import Clip, best_clip
from selftalk.stream.sovits.reference import ReferenceListener, check_length, has_hubert
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.excerpt import best_excerpt
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.voices import SUFFIX, Voice, check_voice_name
from selftalk.stream.text import LANGUAGES
from selftalk.stream.text.language_guess import guess_language


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `reference` to the command line."""
    parser = subparsers.add_parser(
        "reference",
        help="give an imported voice model a voice",
        description="Make a voice for an imported GPT-SoVITS model of a recording: of 2 s to 5"
        " minutes the best 3 to 10 s are used.",
    )
    parser.add_argument("recording", type=Path, help="clean speech of one person")
    parser.add_argument("--bundle", required=True, help="name or folder of the exported model")
    parser.add_argument(
        "--text", default="", help="what is said in the recording; else the recogniser listens"
    )
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        help="of the recording; by default guessed from the text, English without one",
    )
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
    recording = check_length(read_audio(args.recording))
    language = args.language or guess_language(args.text)
    clip = _clip(bundle, recording, args.text, language)
    reference, advice = ReferenceListener(bundle).listen(clip.audio, clip.text, language)
    speaker, pitch = _speaker(recording)
    origin = f"stock: {args.stock}" if args.stock else "recording"
    voice = Voice(name, speaker, pitch, {"origin": origin}, reference=reference)
    path = bundle.voices_folder / f"{name}{SUFFIX}"
    path.parent.mkdir(exist_ok=True)
    voice.save(path)
    for line in filter(None, (f"voice '{name}': {path}", clip.remark)):
        print(line)
    if advice:
        print(advice)
    if not args.stock:
        print(f"it is a person's voice: its owner agrees with `selftalk consent give {name}`")
    return 0


def _clip(bundle: Bundle, recording: AudioChunk, text: str, language: str) -> Clip:
    if not has_hubert(bundle):  # words would be of no use
        return Clip(best_excerpt(recording), text)

    def hear(audio: AudioChunk) -> str:
        recognizer = load_recognizer(RecognizerConfig(language=language))
        return recognizer.transcribe(audio, language).text

    return best_clip(recording, text, hear)


def _speaker(recording: AudioChunk) -> tuple[Float32Array, float]:
    """Who it is, for consent to be tied to; and how high."""
    encoder = SpeakerEncoder(default_bundle().graph_path("speaker"))
    return encoder.embed(recording), mean_log_pitch(track_pitch(recording))
