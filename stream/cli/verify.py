"""`selftalk verify`: is a voice model undamaged, and is it streamed without a trace."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from selftalk.stream.sovits.margins import WindowErrors, window_errors
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.synthesizer import Synthesizer, open_synthesizer
from selftalk.stream.synthesis.verification import (
    ENOUGH_DB,
    ENOUGH_ROUNDED_DB,
    Verdict,
    verify_streaming,
)
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
SURE = "chunks leave no trace"
SURE_OF_ROUNDED = "chunks leave no more of a trace than rounding to 8 bits explains"
BUT = "; tokens that were not known in time leave one (`exact` waits for them)"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `verify` to the command line."""
    parser = subparsers.add_parser("verify", help="check a voice model, and how exactly it streams")
    parser.add_argument("bundle", nargs="?", type=Path, help="a folder; by default the shipped one")
    parser.add_argument("--voice", help="by default the first that there is")
    parser.add_argument(
        "--wanted-db",
        type=float,
        help="of windows: the smallest margin that is so exact is named (official voices);"
        " by default what is needed",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the verdict; 1 if windows can be heard, or a seam."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    bundle.verify()
    synthesizer = open_synthesizer(bundle)
    voice = choose_voice(synthesizer, args.voice)
    language = bundle.manifest.languages[0]
    synthesizer.options = dataclasses.replace(synthesizer.options, language=language)
    found = verify_streaming(synthesizer, voice, TEXTS[language])
    found = dataclasses.replace(found, needed_db=needed_db(bundle))
    windows = windows_of(bundle, voice)
    wanted_db = found.needed_db if args.wanted_db is None else args.wanted_db
    if args.json:
        print(json.dumps(facts(bundle, voice, found, windows, wanted_db)))
    else:
        report(bundle, found, windows, wanted_db)
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


def needed_db(bundle: Bundle) -> float:
    """How near to the whole the windows of a voice model must come."""
    decoder = bundle.manifest.graphs.get("decoder")
    return ENOUGH_ROUNDED_DB if decoder and decoder.precision == "int8" else ENOUGH_DB


def windows_of(bundle: Bundle, voice: Voice) -> WindowErrors | None:
    """How exact windows of each margin are; None for a model that needs no margin."""
    if bundle.manifest.kind != "sovits" or voice.reference is None:
        return None
    return window_errors(bundle, voice.reference.style)


def facts(
    bundle: Bundle, voice: Voice, found: Verdict, windows: WindowErrors | None, wanted_db: float
) -> dict[str, Any]:
    """The verdict as one JSON object."""
    manifest = bundle.manifest
    told = {"bundle": manifest.name, "version": manifest.version, "voice": voice.name}
    told |= dataclasses.asdict(found) | {"passed": found.passed}
    if windows is not None:
        told |= dataclasses.asdict(windows) | {
            "smallest_margin_frames": windows.smallest_margin(wanted_db),
        }
    return told


def report(bundle: Bundle, found: Verdict, windows: WindowErrors | None, wanted_db: float) -> None:
    """Print the verdict for people."""
    manifest = bundle.manifest
    print(f"{manifest.name} {manifest.version}: {len(manifest.graphs)} files, all hashes are right")
    rounded = found.needed_db == ENOUGH_ROUNDED_DB
    print(
        f"streamed against whole: {found.streamed_vs_whole_snr_db:.1f} dB"
        f" ({found.needed_db:.0f} are needed{' in 8 bits' * rounded}),"
        f" largest error {found.largest_error:.2g}"
    )
    print(f"as heard on this machine: {found.as_heard_snr_db:.1f} dB{reason(found, windows)}")
    print(
        f"steps at {found.seams} seams: at most {found.seam_jump:.4f} more than in one piece;"
        f" one in a thousand within chunks exceeds {found.seam_jump_limit:.4f}"
    )
    if windows is not None:
        report_windows(windows, wanted_db)
    if not found.seams_are_quiet:
        print("✗ a seam clicks")
    if not found.exact:
        print("✗ streaming leaves a trace")
    if found.passed:
        print(f"✓ {SURE_OF_ROUNDED if rounded else SURE}{'' if found.heard_exactly else BUT}")


def report_windows(windows: WindowErrors, wanted_db: float) -> None:
    """Print how exact windows are, and which margin would do."""
    print("windows against whole, the whole sentence being known to the encoder:")
    for margin, error in windows.margin_snr_db.items():
        shipped = " (shipped)" * (margin == windows.shipped_margin_frames)
        print(f"  {margin:3} frames of context: {error:5.1f} dB{shipped}")
    enough = windows.smallest_margin(wanted_db)
    found = f"{enough} frames are enough" if enough is not None else "no margin here is enough"
    print(f"for {wanted_db:.0f} dB {found}")


def reason(found: Verdict, windows: WindowErrors | None) -> str:
    """Why speech as it is heard is farther from the whole, if it is."""
    if found.heard_exactly or windows is None:
        return ""
    return (
        "; the encoder looks at all tokens of a sentence, and those to come are not known while it"
        " is being said"
    )
