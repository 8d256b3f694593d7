"""`selftalk verify`: is a voice model undamaged, and is it streamed without a trace."""

import argparse
import dataclasses
import json
from pathlib import Path

from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.synthesizer import Synthesizer, open_synthesizer
from selftalk.stream.synthesis.verification import ENOUGH_DB, Verdict, verify_streaming
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, Voice, list_voices

TEXTS = {
    "en": (
        "No.",
        "The quick brown fox jumps over the lazy dog.",
        "Well, I thought about it for a while; and then, to my own surprise, I said yes!",
    ),
    "zh": ("好。", "今天天气很好，我们去公园走走吧。"),
    "ja": ("はい。", "今日はとても天気がいいので、公園まで歩きましょう。"),
    "ko": ("네.", "오늘은 날씨가 좋아서 공원까지 걸어가요."),
    "yue": ("好。", "今日天氣好好，我哋去公園行下啦。"),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `verify` to the command line."""
    parser = subparsers.add_parser("verify", help="check a voice model, and how exactly it streams")
    parser.add_argument("bundle", nargs="?", type=Path, help="a folder; by default the shipped one")
    parser.add_argument("--voice", help="by default the first that there is")
    parser.add_argument(
        "--wanted-db",
        type=float,
        default=ENOUGH_DB,
        help="of windows: the smallest margin that is so exact is named (official voices)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the verdict; 1 if streaming can be heard."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    bundle.verify()
    synthesizer = open_synthesizer(bundle)
    voice = choose_voice(synthesizer, args.voice)
    language = bundle.manifest.languages[0]
    synthesizer.options = dataclasses.replace(synthesizer.options, language=language)
    found = verify_streaming(synthesizer, voice, TEXTS[language])
    errors = margins_of(bundle, voice)
    report(bundle, voice, found, errors, args)
    return 0 if found.passed else 1


def choose_voice(synthesizer: Synthesizer, name: str | None) -> Voice:
    """The voice of a name; without one the default or the first of the bundle's own.

    Raises:
        VoiceError: there is no such voice.
    """
    if name is None:
        shipped = sorted(path.stem for path in synthesizer.bundle.voices_folder.glob("*.voice"))
        known = shipped or sorted(list_voices(synthesizer.bundle.voices_folder))
        name = DEFAULT_VOICE if DEFAULT_VOICE in known or not known else known[0]
    return synthesizer.voice(name)


def margins_of(bundle: Bundle, voice: Voice) -> dict[int, float]:
    """How exact windows of each margin are; nothing for a model that needs no margin."""
    if bundle.manifest.kind != "sovits" or voice.reference is None:
        return {}
    from selftalk.stream.sovits.margins import margin_errors

    return margin_errors(bundle, voice.reference.style)


def report(
    bundle: Bundle,
    voice: Voice,
    found: Verdict,
    errors: dict[int, float],
    args: argparse.Namespace,
) -> None:
    """Print lines for people, or one JSON object."""
    manifest = bundle.manifest
    if args.json:
        facts = {"bundle": manifest.name, "version": manifest.version, "voice": voice.name}
        windows = {"margin_snr_db": errors} if errors else {}
        print(json.dumps(facts | dataclasses.asdict(found) | windows | {"passed": found.passed}))
        return
    sign = "✓" if found.passed else "✗"
    print(f"{manifest.name} {manifest.version}: {len(manifest.graphs)} files, all hashes are right")
    print(
        f"streamed against whole: {found.streamed_vs_whole_snr_db:.1f} dB"
        f" ({ENOUGH_DB:.0f} are needed), largest error {found.largest_error:.2g}"
    )
    print(
        f"steps at {found.seams} seams: at most {found.seam_jump:.4f} more than in one piece;"
        f" one in a thousand within chunks exceeds {found.seam_jump_limit:.4f}"
    )
    report_margins(bundle, errors, args.wanted_db)
    print(f"{sign} streaming {'leaves no trace' if found.passed else 'can be heard'}")


def report_margins(bundle: Bundle, errors: dict[int, float], wanted_db: float) -> None:
    """Print how exact windows are, and which margin would do."""
    if not errors:
        return
    from selftalk.stream.sovits.margins import smallest_margin

    own = int(bundle.manifest.numbers["right_margin_frames"])
    for margin, error in errors.items():
        print(f"  {margin:3} frames of context: {error:5.1f} dB{' (shipped)' * (margin == own)}")
    enough = smallest_margin(errors, wanted_db)
    found = f"{enough} frames are enough" if enough is not None else "no margin here is enough"
    print(f"for {wanted_db:.0f} dB {found}")
