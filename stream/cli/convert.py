"""`selftalk convert`: a recording in another voice, or the microphone as one speaks."""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selftalk.stream.errors import ConfigError
from selftalk.stream.nano.content import ContentEncoder
from selftalk.stream.nano.conversion import LiveConverter, convert
from selftalk.stream.sound.audio import AudioChunk, concat, read_audio, write_wav
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, Voice, find_voice
from selftalk.stream.trust import audit
from selftalk.stream.trust.labels import label_file, mark, opening

CHUNK_SECONDS = 0.02
MARGIN_SECONDS = 0.15
"""Silence before the first sound at the loudspeaker, for steps that take longer than others."""
GENERATION = 1


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `convert` to the command line."""
    parser = subparsers.add_parser("convert", help="say a recording, or what you say, in a voice")
    parser.add_argument(
        "recording", type=Path, nargs="?", help="speech by one person; with --live the microphone"
    )
    parser.add_argument("--voice", default=DEFAULT_VOICE, help="see `selftalk voices`")
    parser.add_argument("-o", "--output", type=Path, help="WAV file")
    parser.add_argument(
        "--live", action="store_true", help="while it is spoken: a file in pieces of 20 ms, or you"
    )
    parser.add_argument("--mic", metavar="NAME", help="part of a microphone's name")
    parser.add_argument("--speaker", metavar="NAME", help="part of a loudspeaker's name")
    parser.add_argument("--pitch", type=float, default=0.0, help="semitones up or down")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert; see `add_parser`."""
    at_microphone = args.live and not args.recording and not args.output
    if not at_microphone and not (args.recording and args.output):
        raise ConfigError("convert needs a recording and -o OUT.wav, or --live alone to hear you")
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    voice = find_voice(args.voice, bundle.voices_folder)
    if receipt := voice.about.get("receipt"):
        audit.append("converted", voice=voice.name, receipt=receipt)
    if at_microphone:
        asyncio.run(_speak(args, bundle, voice))
        return 0
    recording = read_audio(args.recording)
    make = _converted_live if args.live else _converted
    made = make(args, bundle, voice, recording)
    cue = opening(made.audio.sample_rate_hz)
    pieces = [made.audio] if cue is None else [cue, made.audio]
    write_wav(args.output, concat(pieces, made.audio.sample_rate_hz))
    label_file(args.output)
    _tell(args, voice, made)
    return 0


@dataclass(frozen=True, slots=True)
class _Made:
    """A converted recording, marked."""

    audio: AudioChunk
    seconds: float
    """Of computing."""
    delay_seconds: float | None = None
    """Of a live conversion: how much later a sound is heard, its slowest step included."""


def _converted(
    args: argparse.Namespace, bundle: Bundle, voice: Voice, recording: AudioChunk
) -> _Made:
    encoder = ContentEncoder(bundle)
    began = time.perf_counter()
    content = encoder.encode(recording)
    chunks = convert(bundle, content, voice, pitch_semitones=args.pitch, seed=args.seed)
    audio = concat(chunks, bundle.manifest.sample_rate_hz)
    return _Made(mark(audio), time.perf_counter() - began)


def _converted_live(
    args: argparse.Namespace, bundle: Bundle, voice: Voice, recording: AudioChunk
) -> _Made:
    converter = _converter(args, bundle, voice, recording.sample_rate_hz)
    size = round(CHUNK_SECONDS * recording.sample_rate_hz)
    chunks, slowest, began = [], 0.0, time.perf_counter()
    for start in range(0, len(recording), size):
        before = time.perf_counter()
        chunks.append(converter.push(recording.samples[start : start + size]))
        slowest = max(slowest, time.perf_counter() - before)
    chunks.append(converter.flush())
    seconds = time.perf_counter() - began
    audio = concat(chunks, converter.sample_rate_hz)
    return _Made(audio, seconds, converter.delay_seconds + slowest)


def _converter(
    args: argparse.Namespace, bundle: Bundle, voice: Voice, sample_rate_hz: int
) -> LiveConverter:
    return LiveConverter(
        bundle, ContentEncoder(bundle), voice,
        sample_rate_hz=sample_rate_hz, pitch_semitones=args.pitch, seed=args.seed,
    )  # fmt: skip


async def _speak(args: argparse.Namespace, bundle: Bundle, voice: Voice) -> None:
    """From the microphone to the loudspeaker until Ctrl-C."""
    from selftalk.stream.sound.devices import Microphone, Speaker  # needs a sound card

    speaker = Speaker(args.speaker)
    microphone = Microphone(args.mic)
    converter = _converter(args, bundle, voice, 16_000)
    print(
        f"{microphone.name} as {voice.name} on {speaker.name},"
        f" {converter.delay_seconds + MARGIN_SECONDS:.1f} s later; use headphones, Ctrl-C ends it"
    )
    silence = np.zeros(round(MARGIN_SECONDS * converter.sample_rate_hz), np.float32)
    due = [opening(converter.sample_rate_hz), AudioChunk(silence, converter.sample_rate_hz)]
    try:
        for chunk in due:
            if chunk is not None:
                await speaker.play(chunk, GENERATION)
        async for heard in microphone.chunks():
            said = await asyncio.to_thread(converter.push, heard.samples)
            if len(said):
                await speaker.play(said, GENERATION)
    finally:
        microphone.close()
        speaker.close()


def _tell(args: argparse.Namespace, voice: Voice, made: _Made) -> None:
    rtf = made.seconds / made.audio.duration_seconds if len(made.audio) else 0.0
    if args.json:
        result = {
            "voice": voice.name,
            "audio_seconds": round(made.audio.duration_seconds, 3),
            "rtf": round(rtf, 4),
            "path": str(args.output),
        }
        if made.delay_seconds is not None:
            result["delay_seconds"] = round(made.delay_seconds, 3)
        print(json.dumps(result, ensure_ascii=False))
        return
    later = f", {made.delay_seconds:.2f} s later" if made.delay_seconds is not None else ""
    seconds = made.audio.duration_seconds
    print(f"{args.output}: {seconds:.1f} s as {voice.name}, rtf {rtf:.3f}{later}")
