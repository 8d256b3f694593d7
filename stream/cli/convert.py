"""`selftalk convert`: a recording in another voice."""

import argparse
import json
import time
from pathlib import Path

from selftalk.stream.audio import concat, read_audio, write_wav
from selftalk.stream.bundle import Bundle, default_bundle
from selftalk.stream.content import ContentEncoder
from selftalk.stream.conversion import convert
from selftalk.stream.trust import audit
from selftalk.stream.trust.labels import label_file, mark, opening
from selftalk.stream.voices import DEFAULT_VOICE, find_voice


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `convert` to the command line."""
    parser = subparsers.add_parser("convert", help="say a recording in another voice")
    parser.add_argument("recording", type=Path, help="speech by one person")
    parser.add_argument("--voice", default=DEFAULT_VOICE, help="see `selftalk voices`")
    parser.add_argument("-o", "--output", type=Path, required=True, help="WAV file")
    parser.add_argument("--pitch", type=float, default=0.0, help="semitones up or down")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert; see `add_parser`."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    voice = find_voice(args.voice, bundle.voices_folder)
    if receipt := voice.about.get("receipt"):
        audit.append("converted", voice=voice.name, receipt=receipt)
    recording = read_audio(args.recording)
    encoder = ContentEncoder(bundle)
    began = time.perf_counter()
    content = encoder.encode(recording)
    chunks = convert(bundle, content, voice, pitch_semitones=args.pitch, seed=args.seed)
    audio = concat(chunks, bundle.manifest.sample_rate_hz)
    seconds = time.perf_counter() - began
    cue = opening(audio.sample_rate_hz)
    pieces = [mark(audio)] if cue is None else [cue, mark(audio)]
    write_wav(args.output, concat(pieces, audio.sample_rate_hz))
    label_file(args.output)
    rtf = seconds / audio.duration_seconds if len(audio) else 0.0
    if args.json:
        result = {
            "voice": voice.name,
            "audio_seconds": round(audio.duration_seconds, 3),
            "rtf": round(rtf, 4),
            "path": str(args.output),
        }
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(f"{args.output}: {audio.duration_seconds:.1f} s as {voice.name}, rtf {rtf:.3f}")
    return 0
