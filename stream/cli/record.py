"""`selftalk record`: record a voice at the microphone, or take it from files; checked and cut."""

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from selftalk.stream.cli.weights import ProgressBar
from selftalk.stream.errors import AudioFileError
from selftalk.stream.listening.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.listening.vad import load_vad
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.studio.engineer import Engineer
from selftalk.stream.studio.guide import AGAIN, KEEP, STOP, Guide, TakeRecorder, meter
from selftalk.stream.studio.prompts import Prompt, prompts_of
from selftalk.stream.studio.recording import Recording, recording_folder
from selftalk.stream.studio.report import Finding, Verdict
from selftalk.stream.studio.take import LONGEST_SECONDS, Take, find_files, read_take
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder

STUDIO_RATE_HZ = 48_000
NOT_GOOD_ENOUGH = 1
MARKS: dict[Verdict, str] = {"good": "✓", "usable": "!", "bad": "✗"}
MOODS = {"neutral": "calmly", "lively": "lively, as if it had just happened", "tired": "softly"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `record` to the command line."""
    parser = subparsers.add_parser(
        "record",
        help="record a voice, or check recordings of it",
        description="Record a voice by reading aloud, or take it from files; judge, cut, keep it.",
        epilog="Exit code 1: the recording is kept, but too bad to make a voice of; what is printed"
        " says why, and what to do.",
    )
    parser.add_argument("name", metavar="NAME", help="of the voice")
    parser.add_argument(
        "files", type=Path, nargs="*", metavar="FILE",
        help="files or folders of one person, 20 s to 30 min together; else the microphone",
    )  # fmt: skip
    parser.add_argument("--language", default="en", help="code of what is spoken (default: en)")
    parser.add_argument("--mic", metavar="NAME", help="the microphone, or a part of its name")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record, check, keep; exit code 1 if the recording is too bad to be used."""
    folder = recording_folder(args.name)
    files = find_files(args.files) if args.files else []
    recognizer = load_recognizer(RecognizerConfig(language=args.language), ProgressBar("fetching"))
    prompts: dict[str, str] = {}
    if files:
        takes = _read(files)
    else:
        script = prompts_of(args.language)
        vad = load_vad()
        ears = _Ears(args.mic)
        guide = Guide(vad, recognizer, args.language, ears.listen, _ask, _show)
        takes, prompts = guide.record(script)
        if not takes:
            raise AudioFileError("nothing was recorded")
    speaker = SpeakerEncoder(default_bundle().graph_path("speaker"))
    engineer = Engineer(speaker, recognizer, args.language, prompts, _Progress())
    recording = engineer.prepare(args.name, takes)
    recording.save(folder)
    _report(recording, folder, args.json)
    return NOT_GOOD_ENOUGH if recording.report.verdict == "bad" else 0


def _read(files: Sequence[Path]) -> list[Take]:
    vad = load_vad()
    takes: list[Take] = []
    for file in files:
        takes.append(read_take(file, vad))
        if sum(take.seconds for take in takes) > LONGEST_SECONDS:
            raise AudioFileError(
                f"the files are longer than {LONGEST_SECONDS // 60} minutes together;"
                " choose the best of them"
            )
    return takes


class _Ears:
    """Listens at the microphone, one take at a time, with a meter on the screen."""

    def __init__(self, name: str | None) -> None:
        self._name = name

    def listen(self) -> AudioChunk:
        input("      Press Enter, then read. ")
        return asyncio.run(self._listen())

    async def _listen(self) -> AudioChunk:
        from selftalk.stream.sound.devices import Microphone

        microphone = Microphone(self._name, STUDIO_RATE_HZ)
        recorder = TakeRecorder(load_vad(), STUDIO_RATE_HZ)
        try:
            async for chunk in microphone.chunks():
                _redraw(meter(recorder.push(chunk)))
                if recorder.ended:
                    break
        finally:
            microphone.close()
            _redraw("")
        return recorder.audio()


class _Progress:
    """What is being done, on one line of a terminal."""

    def __call__(self, what: str, share: float) -> None:
        """Show a share of 0 to 1."""
        _redraw(f"{what} … {100 * share:.0f} %")


def _redraw(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{line}")
        sys.stderr.flush()


def _show(number: int, count: int, prompt: Prompt) -> None:
    print(f"\n{number:2}/{count}  ({MOODS[prompt.style]})\n\n      {prompt.text}\n")


def _ask(findings: Sequence[Finding]) -> str:
    for finding in findings:
        print(f"      {MARKS[finding.verdict]} {finding.sentence} {finding.advice}")
    question = "good" if not findings else "not perfect"
    answer = input(f"      {question}: Enter keeps it, r repeats, q ends. ").strip().lower()
    return {"r": AGAIN, "q": STOP}.get(answer, KEEP)


def _report(recording: Recording, folder: Path, as_json: bool) -> None:
    _redraw("")
    report = recording.report
    if as_json:
        print(json.dumps(_facts(recording, folder), ensure_ascii=False))
        return
    for finding in report.findings:
        print(f"{MARKS[finding.verdict]} {finding.sentence} {finding.advice}".rstrip())
    print(
        f"\n{len(recording.slices)} slices, {recording.speech_seconds:.0f} s of speech → {folder}"
    )
    for style, places in recording.references.items():
        piece = recording.slices[places[0]]
        print(
            f"  {style:8} {piece.seconds:4.1f} s  {math.exp(piece.mean_log_pitch):3.0f} Hz"
            f"  {piece.text}"
        )
    print(f"next: selftalk enroll {recording.name} --person 'YOUR NAME' --purpose 'WHAT FOR'")


def _facts(recording: Recording, folder: Path) -> dict[str, object]:
    report = recording.report
    return {
        "name": recording.name,
        "verdict": report.verdict,
        "seconds": round(report.seconds, 2),
        "speech_seconds": round(recording.speech_seconds, 2),
        "slices": len(recording.slices),
        "references": {
            style: [recording.slices[place].text for place in places]
            for style, places in recording.references.items()
        },
        "findings": [asdict(finding) for finding in report.findings],
        "path": str(folder),
    }
