"""`selftalk read`: narrate a text of any length in a voice, into a file, with chapters."""

import argparse
import json
import sys
import time
from pathlib import Path

from selftalk.stream.errors import AudioFileError
from selftalk.stream.studio.audiobook import check_format, write_audiobook
from selftalk.stream.studio.book import read_book
from selftalk.stream.studio.narration import Narration, Progress
from selftalk.stream.studio.paragraphs import ParagraphCache
from selftalk.stream.studio.subtitles import as_srt, as_vtt, cues_of
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.synthesizer import AUTO, SynthesisOptions, open_synthesizer
from selftalk.stream.synthesis.voices import DEFAULT_VOICE
from selftalk.stream.text import LANGUAGES
from selftalk.stream.trust.labels import LabelsConfig

BAR_CHARACTERS = 24
SUBTITLES = {"srt": as_srt, "vtt": as_vtt}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `read` to the command line."""
    parser = subparsers.add_parser("read", help="narrate a text or a book into a file")
    parser.add_argument("file", type=Path, help=".txt, .md or .epub")
    parser.add_argument("-o", "--output", type=Path, help="wav, flac, mp3, ogg, opus or m4b")
    parser.add_argument("--voice", default=DEFAULT_VOICE, help="see `selftalk voices`")
    parser.add_argument("--language", choices=LANGUAGES, help="by default guessed by sentence")
    parser.add_argument("--subtitles", choices=tuple(SUBTITLES), action="append", default=[])
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--speed", type=float, default=1.0, help="0.5 to 2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--cue", choices=("auto", "rhythm", "speech", "off"), default="auto",
        help="what tells listeners at the start that this is synthetic",
    )  # fmt: skip
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the spoken paragraphs, for a text that will change",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Narrate; a run that was killed goes on where it was when started again."""
    book = read_book(args.file)
    output = args.output or Path(f"{args.file.stem}.mp3")
    check_format(output)
    if not 0.5 <= args.speed <= 2:
        raise AudioFileError(f"a speed of {args.speed:g} is not between 0.5 and 2")
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    options = SynthesisOptions(  # nobody waits for the first sound
        language=args.language or AUTO, speed=args.speed, seed=args.seed, exact=True
    )
    labels = LabelsConfig(cue=args.cue)
    synthesizer = open_synthesizer(bundle, options, labels=labels)
    voice = synthesizer.voice(args.voice)
    narration = Narration(
        book, synthesizer, voice, options, ParagraphCache(voice.name), labels, _Bar()
    )
    files = write_audiobook(narration, output)
    files += _write_subtitles(narration, output, args.subtitles)
    if not args.keep:
        narration.cache.drop(iter(narration.keys))
    _report(args, narration, files)
    return 0


class _Bar:
    """A progress bar on a terminal, with the time that is left."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Redraw."""
        if not sys.stderr.isatty():
            return
        share = progress.done_characters / max(1, progress.characters)
        bar = "#" * round(BAR_CHARACTERS * share)
        sys.stderr.write(
            f"\r\033[Kchapter {progress.chapter}/{progress.chapters}"
            f" [{bar:{BAR_CHARACTERS}}] {100 * share:3.0f} %{self._left(progress)}"
        )
        if progress.done_characters >= progress.characters:
            sys.stderr.write("\n")
        sys.stderr.flush()

    def _left(self, progress: Progress) -> str:
        if not progress.fresh_characters:
            return ""
        elapsed = time.monotonic() - self._started
        waiting = progress.characters - progress.done_characters
        seconds = round(elapsed / progress.fresh_characters * waiting)
        return f"  {seconds // 60}:{seconds % 60:02} left"


def _write_subtitles(narration: Narration, output: Path, wanted: list[str]) -> list[Path]:
    cues = cues_of(narration.sentences, narration.synthesizer.sample_rate_hz)
    files = []
    for kind in dict.fromkeys(wanted):
        path = output.with_suffix(f".{kind}")
        try:
            path.write_text(SUBTITLES[kind](cues), "utf-8")
        except OSError as error:
            raise AudioFileError(f"cannot write '{path}': {error.strerror}") from error
        files.append(path)
    return files


def _report(args: argparse.Namespace, narration: Narration, files: list[Path]) -> None:
    rate_hz = narration.synthesizer.sample_rate_hz
    seconds = narration.position_samples / rate_hz
    if args.json:
        result = {
            "title": narration.book.title,
            "voice": args.voice,
            "audio_seconds": round(seconds, 3),
            "chapters": [
                {"title": one.title, "start_seconds": round(one.start_samples / rate_hz, 3)}
                for one in narration.chapters
            ],
            "sentences": len(narration.sentences),
            "files": [str(path) for path in files],
        }
        print(json.dumps(result, ensure_ascii=False))
        return
    minutes = f"{seconds // 60:.0f}:{seconds % 60:02.0f}"
    count = len(narration.chapters)
    print(
        f"{minutes} of speech, {count} chapter{'s' if count > 1 else ''} →",
        ", ".join(map(str, files)),
    )
