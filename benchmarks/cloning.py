"""How near does a voice that was made of a recording come to its owner?

    python benchmarks/cloning.py FOLDER [FOLDER …] [--voice NAME=FILE.voice …]

Each folder holds recordings of one person. Files make up one minute to enrol from; later ones are
held out. Sentences that the person never said are spoken in the voice, and the cosine of the
speaker encoder (GE2E, the weights of Resemblyzer) tells how near they are to the held-out
recordings of their owner, of the other people, and whether the owner is the nearest. The second
column is the ceiling: the person's own minute against their held-out recordings.

Files in G.722, as Debian's packages asterisk-core-sounds-*-g722 hold them, need PyAV.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selftalk.stream.audio import AudioChunk, Float32Array, read_audio
from selftalk.stream.bundle import Bundle, default_bundle
from selftalk.stream.nano_synthesizer import NanoSynthesizer
from selftalk.stream.recognizer import RecognizerConfig, load_recognizer
from selftalk.stream.speaker import SpeakerEncoder
from selftalk.stream.studio.enrolment import pitch_hz, speech_of, zero_shot_voice
from selftalk.stream.studio.take import take_of
from selftalk.stream.synthesizer import SynthesisOptions
from selftalk.stream.vad import load_vad
from selftalk.stream.voices import Voice
from selftalk.stream.wer import error_rate, total_error_rate

SENTENCES = (
    "The old harbour was quiet when we arrived, and a thin fog lay over the water.",
    "Could you tell me which of these paths leads to the village above the valley?",
    "My brother usually bakes bread on Thursday, with walnuts and a pinch of salt.",
    "I thought about it for a long time, and in the end I decided to stay.",
    "A young engineer explained to us how the small yellow engine works.",
    "Please put the blue vase beside the window, and be careful with it.",
)
SHORTEST_CLIP_SECONDS = 3.0


@dataclass(frozen=True)
class Person:
    """Who is cloned: a minute to learn from, and what is held out."""

    name: str
    minute: list[AudioChunk]
    held_out: Float32Array
    """(D,) speaker embedding."""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    ceiling: float
    own: float
    others: float
    nearest: str
    error_rate: float
    pitch_hz: float
    spoken_pitch_hz: float


def main() -> None:
    """Print the table."""
    args = _arguments()
    bundle = Bundle.load(args.bundle) if args.bundle else default_bundle()
    model = SpeakerEncoder(bundle.graph_path("speaker"))
    people = [_person(folder, model, args.seconds) for folder in args.folders]
    given = dict(pair.split("=", 1) for pair in args.voice)
    rows = [_row(person, people, bundle, model, given.get(person.name)) for person in people]
    if args.json:
        print(json.dumps([row.__dict__ for row in rows]))
        return
    print("| person | own minute | own | mean of others | nearest | word errors | pitch | spoken |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.name} | {row.ceiling:.2f} | {row.own:.2f} | {row.others:.2f} | {row.nearest}"
            f" | {100 * row.error_rate:.1f} % | {row.pitch_hz:.0f} Hz"
            f" | {row.spoken_pitch_hz:.0f} Hz |"
        )


def _row(
    person: Person, people: list[Person], bundle: Bundle, model: SpeakerEncoder, file: str | None
) -> Row:
    zero_shot, _, own = zero_shot_voice(person.name, person.minute, model, {})
    voice = Voice.load(Path(file)) if file else zero_shot
    spoken = _speak(bundle, voice)
    heard = zero_shot_voice("spoken", spoken, model, {})[0]
    embedding = _mean(model, spoken)
    likeness = {one.name: float(embedding @ one.held_out) for one in people}
    others = [value for name, value in likeness.items() if name != person.name]
    return Row(
        name=person.name,
        ceiling=float(_mean(model, own) @ person.held_out),
        own=likeness[person.name],
        others=float(np.mean(others)) if others else float("nan"),
        nearest=max(likeness, key=likeness.__getitem__),
        error_rate=_errors(spoken),
        pitch_hz=pitch_hz(zero_shot),
        spoken_pitch_hz=pitch_hz(heard),
    )


def _person(folder: Path, model: SpeakerEncoder, seconds: float) -> Person:
    vad = load_vad()
    pieces: list[AudioChunk] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        clip = _read(path)
        if clip.duration_seconds < SHORTEST_CLIP_SECONDS:
            continue
        take = take_of(path.name, clip, vad)
        if take.speech_seconds >= SHORTEST_CLIP_SECONDS:
            pieces += speech_of([take])
        if sum(piece.duration_seconds for piece in pieces) > 2 * seconds:
            break
    ends = np.cumsum([piece.duration_seconds for piece in pieces])
    count = int(np.searchsorted(ends, seconds)) + 1
    return Person(folder.name, pieces[:count], _mean(model, pieces[count:]))


def _read(path: Path) -> AudioChunk:
    if path.suffix != ".g722":
        return read_audio(path)
    import av

    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    samples = np.concatenate(frames).astype(np.float32) / 32768
    return AudioChunk(samples.astype(np.float32), 16_000)


def _speak(bundle: Bundle, voice: Voice) -> list[AudioChunk]:
    """The sentences, without watermark: the bare model is measured, nothing is kept."""
    synthesizer = NanoSynthesizer(bundle, SynthesisOptions(language="en"))
    return [synthesizer.synthesize(sentence, voice) for sentence in SENTENCES]


def _errors(spoken: list[AudioChunk]) -> float:
    recognizer = load_recognizer(RecognizerConfig(language="en"))
    return total_error_rate(
        error_rate(sentence, recognizer.transcribe(speech, "en").text)
        for sentence, speech in zip(SENTENCES, spoken, strict=True)
    ).rate


def _mean(model: SpeakerEncoder, pieces: list[AudioChunk]) -> Float32Array:
    mean = np.mean([model.embed(piece) for piece in pieces], axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--seconds", type=float, default=60, help="of speech to enrol from")
    parser.add_argument("--voice", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--bundle", type=Path, help="folder of a voice model")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
