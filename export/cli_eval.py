"""`selftalk eval`: how well a voice model speaks, and others beside it."""

import argparse
import json
import sys
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from selftalk.export.identity import identify
from selftalk.export.melodies import best_tracker, compare_all
from selftalk.stream.errors import BundleError, ConfigError, SelftalkError
from selftalk.stream.evaluation.dnsmos import Dnsmos
from selftalk.stream.evaluation.held_out import SETS, Sentence, held_out
from selftalk.stream.evaluation.measures import Rating, Result, measure
from selftalk.stream.evaluation.report import Summary, summarize, table
from selftalk.stream.evaluation.systems import BundleSystem, System, espeak, flite
from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.sound.audio import AudioChunk, write_wav
from selftalk.stream.sound.pitch import mean_log_pitch, track_pitch
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, open_synthesizer
from selftalk.stream.synthesis.voices import Voice

if TYPE_CHECKING:
    from selftalk.export.teacher_system import TeacherSystem

PROGRAMS = {"espeak": espeak, "flite": flite}
AGAINST = (*PROGRAMS, "teacher")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `eval` to the command line."""
    parser = subparsers.add_parser("eval", help="measure how well a voice model speaks")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--set", choices=SETS, default="en", help="of held-out sentences")
    parser.add_argument("--sentences", type=int, help="only the first of them")
    parser.add_argument("--voices", nargs="+", help="by default all that come with the model")
    parser.add_argument("--against", nargs="+", choices=AGAINST, default=[], help="compare with")
    parser.add_argument(
        "--identities",
        type=int,
        metavar="N",
        help="clone N unheard voices instead",
    )
    parser.add_argument(
        "--melodies",
        type=int,
        metavar="N",
        help="compare the melodies of N sentences with the teacher's instead",
    )
    parser.add_argument("--no-ratings", action="store_true", help="intelligibility and speed only")
    parser.add_argument("--audio", type=Path, help="keep what was spoken in this folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object for each system")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; see `add_parser`."""
    if args.identities:
        return tell_apart(args)
    if args.melodies:
        return hum_along(args)
    sentences = held_out(args.set, args.sentences)
    language = sentences[0].language
    recognizer = load_recognizer(RecognizerConfig(language=language))
    ratings = [] if args.no_ratings else load_ratings()
    summaries: list[Summary] = []
    for system in load_systems(args):
        results = []
        for result in measure(system, sentences, recognizer, ratings):
            results.append(result)
            show(system, result, args)
        summaries.append(summarize(system.name, results))
        if args.json:
            print(json.dumps({"set": args.set, **asdict(summaries[-1])}))
    if not args.json:
        print(table(summaries))
    return 0


def tell_apart(args: argparse.Namespace) -> int:
    """Clone voices from six seconds each, and see whose the clones are taken for.

    Raises:
        ConfigError: fewer than two voices cannot be mixed up.
    """
    if args.identities < 2:
        raise ConfigError(f"at least 2 voices can be told apart, not {args.identities}")
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    synthesizer = open_synthesizer(bundle)
    encoder = SpeakerEncoder(bundle.graph_path("speaker"))

    def clone(recording: AudioChunk, sentence: Sentence) -> AudioChunk:
        pitch = mean_log_pitch(track_pitch(recording))
        # The teacher's voices are stock voices, which belong to nobody.
        voice = Voice("clone", encoder.embed(recording), pitch, {"origin": "stock"})
        options = SynthesisOptions(language=sentence.language, seed=args.seed)
        return synthesizer.synthesize(sentence.text, voice, options)

    sentences = held_out(args.set, 6)
    found = identify(load_teacher(args.identities), sentences, clone, encoder.embed)
    if args.json:
        print(json.dumps(asdict(found)))
    else:
        print(
            f"{100 * found.recognized:.0f} % of {found.speakers} clones are nearest to their own"
            f" reference; cosine {found.own_similarity:.2f} with it,"
            f" {found.other_similarity:.2f} with the others"
        )
    return 0


def hum_along(args: argparse.Namespace) -> int:
    """Say what the teacher says, in the teacher's voices, and compare the melodies."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    synthesizer, teacher = open_synthesizer(bundle), load_teacher()
    encoder = SpeakerEncoder(bundle.graph_path("speaker"))

    def imitate(name: str, told: AudioChunk, sentence: Sentence) -> AudioChunk:
        pitch = mean_log_pitch(track_pitch(told))
        about = {"origin": "stock"}
        voice = Voice(name, encoder.embed(told), pitch, about, teacher.timbre(name))
        options = SynthesisOptions(language=sentence.language, seed=args.seed)
        return synthesizer.synthesize(sentence.text, voice, options)

    tracker, track = best_tracker()
    found = compare_all(teacher, held_out(args.set, args.melodies), imitate, track, tracker)
    if args.json:
        print(json.dumps({"set": args.set, **asdict(found)}))
    else:
        print(
            f"{found.sentences} sentences: correlation of pitch with the teacher's"
            f" {found.correlation:.2f} ({found.interval[0]:.2f} to {found.interval[1]:.2f}),"
            f" {100 * found.voicing_errors:.0f} % of frames voiced in one only, range"
            f" {found.spread_semitones:.1f} against {found.teacher_spread_semitones:.1f} semitones"
        )
    return 0


def load_systems(args: argparse.Namespace) -> list[System]:
    """The voice model in question, then those to compare it with."""
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    systems: list[System] = [BundleSystem(bundle, args.voices, args.seed)]
    systems += [PROGRAMS[name]() for name in args.against if name in PROGRAMS]
    if "teacher" in args.against:
        systems.append(load_teacher())
    return systems


def load_teacher(speakers: int = 10) -> "TeacherSystem":
    """Nano's teacher.

    Raises:
        BundleError: torch, with which its voices are made, is not installed.
    """
    try:
        from selftalk.export.teacher_system import TeacherSystem
    except ImportError as error:
        raise BundleError(
            f"the teacher needs the package '{error.name}': pip install 'selftalk[train]'"
        ) from error
    return TeacherSystem(speakers)


def load_ratings() -> Sequence[Rating]:
    """All ratings that can be taken here; says which cannot, and why."""
    ratings: list[Rating] = []
    try:
        dnsmos = Dnsmos()
        ratings.append(lambda chunk: _dnsmos(dnsmos, chunk))
    except SelftalkError as error:
        print(f"selftalk: no DNSMOS: {error}", file=sys.stderr)
    try:
        from selftalk.export.distillmos import DistillMos

        distillmos = DistillMos()
        ratings.append(lambda chunk: {"distillmos": distillmos.rate(chunk)})
    except (ImportError, SelftalkError) as error:
        print(f"selftalk: no DistillMOS: {error}", file=sys.stderr)
    return ratings


def _dnsmos(dnsmos: Dnsmos, chunk: AudioChunk) -> dict[str, float]:
    quality = dnsmos.rate(chunk)
    return {"dnsmos_signal": quality.signal, "dnsmos_overall": quality.overall}


def show(system: System, result: Result, args: argparse.Namespace) -> None:
    """Print a misheard sentence, and keep the sound if that was wished."""
    if result.errors.errors and not args.json:
        print(f"{system.name} {result.voice}: {result.sentence.text}\n  heard: {result.heard}")
    if args.audio:
        args.audio.mkdir(parents=True, exist_ok=True)
        number = zlib.crc32(result.sentence.text.encode())
        stem = f"{system.name}-{result.voice}-{number:08x}"
        write_wav(args.audio / f"{stem}.wav", result.spoken.audio)
