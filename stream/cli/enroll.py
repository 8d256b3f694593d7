"""`selftalk enroll`: a voice at once, from three seconds of speech and its owner's consent."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from selftalk.stream.cli.consent import ask
from selftalk.stream.errors import ConsentError
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.studio.engineer import CHECKS
from selftalk.stream.studio.enrolment import (
    keep_voice,
    pitch_hz,
    shades_in,
    speech_in,
    speech_of,
    zero_shot_voice,
)
from selftalk.stream.studio.recording import Recording, load_recording
from selftalk.stream.studio.report import Finding
from selftalk.stream.studio.speaker_check import check_speaker
from selftalk.stream.studio.take import find_files, read_take
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.styles import SEPARATOR, STYLES
from selftalk.stream.synthesis.voices import Voice, check_voice_name
from selftalk.stream.trust.consent import VALID_DAYS, consent_session
from selftalk.stream.trust.permission import require_consent
from selftalk.stream.trust.receipts import Receipt, receipts_of
from selftalk.stream.trust.statement import SENTENCES


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `enroll` to the command line."""
    parser = subparsers.add_parser("enroll", help="make a voice of a few seconds of speech")
    parser.add_argument("name", metavar="NAME", help="of the voice")
    parser.add_argument(
        "files", type=Path, nargs="*", metavar="FILE",
        help="recordings of one person, 3 s or more; else what `selftalk record NAME` left",
    )  # fmt: skip
    parser.add_argument("--style", choices=STYLES, default="neutral", help="of a recording")
    parser.add_argument("--person", help="the owner's name, as they will say it")
    parser.add_argument("--purpose", help="what the voice is for, as they will say it")
    parser.add_argument("--language", choices=tuple(SENTENCES), default="en", help="of consent")
    parser.add_argument("--days", type=int, default=VALID_DAYS, help="how long consent holds")
    parser.add_argument(
        "--statement", type=Path, metavar="FILE",
        help="where the owner records the sentence of consent; else the microphone",
    )  # fmt: skip
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the voice, ask for consent unless it was given, keep the voice."""
    name = check_voice_name(args.name)
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    recording = None if args.files else load_recording(name)
    pieces, findings = _speech(args, recording)
    model = SpeakerEncoder(bundle.graph_path("speaker"))
    voice, speakers, own = zero_shot_voice(
        name, pieces, model, {"language": args.language}, SpeakerSpace(bundle).timbre
    )
    if recording is not None:
        voice = replace(voice, shades=shades_in(recording, model))
    findings.append(check_speaker(speakers))
    for finding in findings:
        if finding.verdict != "good":
            print(f"! {finding.sentence} {finding.advice}", file=sys.stderr)
    receipt = given_consent(voice) or _ask(args, own)
    voice = replace(voice, about=voice.about | {"receipt": receipt.id})
    require_consent(name, voice.about, voice.speaker)
    path = keep_voice(voice)
    if args.json:
        print(json.dumps(_facts(voice, findings, path), ensure_ascii=False))
    else:
        print(
            f"voice '{name}', {pitch_hz(voice):.0f} Hz, of {voice.about['seconds']} s of speech"
            f" → {path}{_shown(voice)}\ntry it: selftalk say --voice {name} 'Hello, this is me.'"
        )
    return 0


def given_consent(voice: Voice) -> Receipt | None:
    """The newest receipt that lets this voice speak; None if there is none."""
    for receipt in reversed(receipts_of(voice.name)):
        try:
            return require_consent(voice.name, {"receipt": receipt.id}, voice.speaker)
        except ConsentError:
            continue
    return None


def _speech(
    args: argparse.Namespace, recording: Recording | None
) -> tuple[list[AudioChunk], list[Finding]]:
    if recording is not None:
        return speech_in(recording, args.style), []
    vad = load_vad()
    takes = [read_take(path, vad) for path in find_files(args.files)]
    pieces = speech_of(takes)
    return pieces, [check(take) for take in takes if take.regions for check in CHECKS]


def _ask(args: argparse.Namespace, clips: Sequence[AudioChunk]) -> Receipt:
    if not args.person or not args.purpose:
        raise ConsentError(
            f"voice '{args.name}' cannot be enrolled without its owner's consent: give their name"
            " with --person and what the voice is for with --purpose"
        )
    session = consent_session(args.name, args.person, args.purpose, days=args.days)
    print("Only its owner may enrol a voice.", file=sys.stderr)
    return ask(session, args.language, list(clips), args.statement)


def _shown(voice: Voice) -> str:
    names = [f"{voice.name}{SEPARATOR}{style}" for style in voice.shades]
    return f"\nand in other styles, as recorded: {', '.join(names)}" if names else ""


def _facts(voice: Voice, findings: Sequence[Finding], path: Path) -> dict[str, object]:
    return {
        "voice": voice.name,
        "pitch_hz": round(pitch_hz(voice), 1),
        "seconds": float(voice.about["seconds"]),
        "styles": sorted(voice.shades),
        "receipt": voice.about["receipt"],
        "findings": [one.sentence for one in findings if one.verdict != "good"],
        "path": str(path),
    }
