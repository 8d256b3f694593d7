"""`selftalk say`: speak a text, to the loudspeaker or into a file."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from selftalk.stream.dialogue.sentences import SentenceSplitter
from selftalk.stream.errors import TextError
from selftalk.stream.sound.audio import AudioChunk, concat, write_wav
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer, open_synthesizer
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, Voice
from selftalk.stream.text import LANGUAGES
from selftalk.stream.text.language_guess import guess_language
from selftalk.stream.trust.labels import (
    DEFAULT_LABELS,
    LabelsConfig,
    label_file,
    notice_in,
    opening,
)

LONGEST_TEXT_CHARACTERS = 100_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `say` to the command line."""
    parser = subparsers.add_parser("say", help="speak a text")
    parser.add_argument("text", help="what to say; - reads it from standard input")
    parser.add_argument("--voice", default=DEFAULT_VOICE, help="see `selftalk voices`")
    parser.add_argument("--language", choices=LANGUAGES, help="by default guessed from the text")
    parser.add_argument("-o", "--output", type=Path, help="WAV file; by default the loudspeaker")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--speed", type=_speed, default=1.0, help="0.5 to 2")
    parser.add_argument("--pitch", type=float, default=0.0, help="semitones up or down")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--exact",
        action="store_true",
        help="know a sentence to its end before its first sound: later, and better for some voices",
    )
    parser.add_argument(
        "--cue",
        choices=("auto", "rhythm", "speech", "off"),
        default="auto",
        help="what tells listeners at the start that a machine speaks; auto goes by the locale",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Speak; see `add_parser`."""
    text = read_text(args.text)
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    options = SynthesisOptions(
        language=args.language or guess_language(text),
        speed=args.speed,
        pitch_semitones=args.pitch,
        seed=args.seed,
        exact=args.exact,
    )
    labels = LabelsConfig(cue=args.cue)
    synthesizer = open_synthesizer(bundle, options, labels=labels)
    voice = synthesizer.voice(args.voice)
    synthesizer.warm_up()
    speech = Speech(synthesizer, voice, text, labels)
    if args.output:
        write_wav(args.output, concat(speech.chunks(), synthesizer.sample_rate_hz))
        label_file(args.output, labels)
    else:
        asyncio.run(_play(speech))
    report(args, speech, text)
    return 0


class Speech:
    """A text being spoken, and how fast that went."""

    def __init__(
        self,
        synthesizer: Synthesizer,
        voice: Voice,
        text: str,
        labels: LabelsConfig = DEFAULT_LABELS,
    ) -> None:
        self.synthesizer = synthesizer
        self.voice = voice
        self.text = text
        self.labels = labels
        self.first_audio_ms = 0.0
        self.audio_seconds = 0.0
        self.busy_seconds = 0.0

    def chunks(self) -> Iterator[AudioChunk]:
        """Yield the cue that is due, then the chunks of all sentences.

        Raises:
            TextError: there is nothing in the text that can be spoken.
        """
        splitter = SentenceSplitter()
        cue = opening(self.synthesizer.sample_rate_hz, self.labels)
        if cue is not None:
            yield cue
        notice = notice_in(self.synthesizer.options.language, self.labels)
        started = time.perf_counter()
        for sentence in [*notice, *splitter.push(self.text), *splitter.flush()]:
            for chunk in self.synthesizer.stream(sentence, self.voice):
                self.busy_seconds += time.perf_counter() - started
                if not self.audio_seconds:
                    self.first_audio_ms = 1000 * self.busy_seconds
                self.audio_seconds += chunk.audio.duration_seconds
                yield chunk.audio
                started = time.perf_counter()  # what the listener does with it is not our time
        if not self.audio_seconds:
            raise TextError("the text holds nothing that can be spoken")


async def _play(speech: Speech) -> None:
    from selftalk.stream.sound.devices import Speaker

    speaker = Speaker()
    try:
        for chunk in speech.chunks():
            await speaker.play(chunk, generation=1)
        await speaker.finish(generation=1)
    finally:
        speaker.close()


def read_text(argument: str) -> str:
    """The text itself, or standard input for "-".

    Raises:
        TextError: the text is empty, too long, or not UTF-8.
    """
    if argument == "-":
        try:
            argument = sys.stdin.buffer.read(4 * LONGEST_TEXT_CHARACTERS + 1).decode()
        except UnicodeDecodeError as error:
            raise TextError("standard input is not UTF-8 text") from error
    if not argument.strip():
        raise TextError("there is no text to say")
    if len(argument) > LONGEST_TEXT_CHARACTERS:
        raise TextError(f"the text is longer than {LONGEST_TEXT_CHARACTERS} characters")
    return argument


def report(args: argparse.Namespace, speech: Speech, text: str) -> None:
    """Print how it went: a line for people, or one JSON object and nothing else."""
    rtf = speech.busy_seconds / speech.audio_seconds
    if args.json:
        result = {
            "text": text,
            "voice": args.voice,
            "language": speech.synthesizer.options.language,
            "audio_seconds": round(speech.audio_seconds, 3),
            "first_audio_ms": round(speech.first_audio_ms, 1),
            "rtf": round(rtf, 4),
            "path": str(args.output) if args.output else None,
        }
        print(json.dumps(result, ensure_ascii=False))
    else:
        where = f" → {args.output}" if args.output else ""
        print(
            f"{speech.audio_seconds:.1f} s of speech{where}; first audio after"
            f" {speech.first_audio_ms:.0f} ms, {1 / rtf:.1f} times faster than real time"
        )


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.5 <= speed <= 2:
        raise argparse.ArgumentTypeError(f"{speed:g} is not between 0.5 and 2")
    return speed
