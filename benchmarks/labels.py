"""Labels: are watermark and cue found again, after what happens to files, and only where they are?

    python benchmarks/labels.py found ROOT [--clips 200] [--more] [--unmarked]
    python benchmarks/labels.py false-alarms ROOT [--hours 2]      # or a folder of rendered shards
    python benchmarks/labels.py cost                               # of a first chunk, marked or not

`found` takes clips of readers, marks them as a synthesizer's output is marked, in pieces of 240 ms,
puts the cue before them, and lets each condition do its harm. With `--unmarked` it does neither,
and what is found, at the speed that is heard, is a false alarm. For ROOT see human_speech.py.
Prints a table, then JSON.
"""

import argparse
import io
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import human_speech
import numpy as np
import soundfile

from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.resample import resample
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.synthesizer import open_synthesizer
from selftalk.stream.trust.cue import find_cue, rhythm_cue, with_pause
from selftalk.stream.trust.detection import find_watermark
from selftalk.stream.trust.labels import Labeller, LabelsConfig

RATE_HZ = 24_000
PIECE = 240 * RATE_HZ // 1000
LONGEST_SECONDS = 6
SENTENCE = "Good morning, how did you sleep, and what did you dream of?"
Harm = Callable[[np.ndarray, np.random.Generator], AudioChunk]


def recoded(container: str, codec: str, **settings: object) -> Harm:
    """Through an encoder and back."""

    def harm(samples: np.ndarray, rng: np.random.Generator) -> AudioChunk:
        del rng
        file = io.BytesIO()
        options = {"format": container, "subtype": codec, **settings}
        soundfile.write(file, samples, RATE_HZ, **options)
        file.seek(0)
        back, rate = soundfile.read(file, dtype="float32")
        return AudioChunk(back, rate)

    return harm


def changed(change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Harm:
    """Another sound at the same rate."""
    return lambda x, rng: AudioChunk(np.float32(np.clip(change(x, rng), -1, 1)), RATE_HZ)


def through(rate_hz: int) -> Harm:
    """Resampled."""
    return lambda x, rng: AudioChunk(resample(x, RATE_HZ, rate_hz), rate_hz)


def faster(factor: float) -> Harm:
    """Played at another speed."""
    return lambda x, rng: AudioChunk(resample(x, RATE_HZ, round(RATE_HZ / factor)), RATE_HZ)


def noisy(ratio_db: float) -> Harm:
    """With white noise so far below the speech."""

    def add(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        level = np.sqrt(np.mean(samples**2)) * 10 ** (-ratio_db / 20)
        return samples + level * rng.standard_normal(len(samples))

    return changed(add)


def high_passed(cut_hz: float) -> Harm:
    """Without anything below a frequency."""

    def cut(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(samples)
        spectrum[: int(cut_hz * len(samples) / RATE_HZ)] = 0
        return np.fft.irfft(spectrum, len(samples))

    return changed(cut)


def sloped(cut_hz: float) -> Harm:
    """Through a filter that takes 24 dB for each octave below a frequency."""

    def weaken(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        frequencies_hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE_HZ), 1)
        gains = 1 / np.sqrt(1 + (cut_hz / frequencies_hz) ** 8)
        return np.fft.irfft(np.fft.rfft(samples) * gains, len(samples))

    return changed(weaken)


def telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a telephone lets through: 300 to 3400 Hz, in 256 logarithmic steps."""
    spectrum = np.fft.rfft(samples)
    frequencies_hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    spectrum[(frequencies_hz < 300) | (frequencies_hz > 3400)] = 0
    narrow = np.clip(np.fft.irfft(spectrum, len(samples)), -1, 1)
    steps = np.round(127 * np.log1p(255 * np.abs(narrow)) / np.log(256))
    return np.sign(narrow) * (256 ** (steps / 127) - 1) / 255


def low_passed(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Without anything above 4 kHz."""
    spectrum = np.fft.rfft(samples)
    spectrum[int(4000 * len(samples) / RATE_HZ) :] = 0
    return np.fft.irfft(spectrum, len(samples))


def cropped(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two seconds from somewhere."""
    start = rng.integers(0, max(1, len(samples) - 2 * RATE_HZ))
    return samples[start : start + 2 * RATE_HZ]


REQUIRED: dict[str, Harm] = {
    "clean": changed(lambda x, rng: x),
    "MP3 64 kbit/s": recoded(
        "MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0.6
    ),
    "Opus 24 kbit/s": recoded("OGG", "OPUS", compression_level=0.93),
    "resampled to 16 kHz": through(16_000),
    "resampled to 44.1 kHz": through(44_100),
    "+6 dB": changed(lambda x, rng: 2 * x),
    "-6 dB": changed(lambda x, rng: x / 2),
    "2 s crop": changed(cropped),
}
MORE: dict[str, Harm] = {
    "resampled to 8 kHz": through(8_000),
    "telephone": changed(telephone),
    "nothing above 4 kHz": changed(low_passed),
    "clipped at 8 times": changed(lambda x, rng: 8 * x),
    "2 % faster": faster(1.02),
    "5 % faster": faster(1.05),
    "5 % slower": faster(0.95),
    "10 % faster": faster(1.1),
    "noise at 20 dB": noisy(20),
    "noise at 10 dB": noisy(10),
    "nothing below 100 Hz": high_passed(100),
    "nothing below 400 Hz": high_passed(400),
    "little below 500 Hz": sloped(500),
    "little below 1 kHz": sloped(1000),
    "nothing below 1 kHz": high_passed(1000),
    "nothing below 2 kHz": high_passed(2000),
}
CROPPED = {"2 s crop"}
"""The cue at the start may be cut off, so it is not counted."""


def found(args: argparse.Namespace) -> None:
    """Count how often each mark is found."""
    clips = list(some_clips(args.root, args.clips, args.seed))
    if not args.unmarked:
        clips = [marked(clip) for clip in clips]
    opened = (lambda clip: clip) if args.unmarked else after_cue
    print(f"{len(clips)} clips, {sum(map(len, clips)) / RATE_HZ / len(clips):.1f} s on average")
    rng = np.random.default_rng(args.seed)
    table = {}
    for name, harm in (MORE if args.more else REQUIRED).items():
        cues, marks = [], []
        for clip in clips:
            finding = find_watermark(harm(clip, rng), search_speeds=not args.unmarked)
            marks.append(finding.found)
            if name not in CROPPED:
                cues.append(find_cue(harm(opened(clip), rng))[0] > 0)
        table[name] = {"watermark": sum(marks), "cue": sum(cues) if cues else None}
        print(f"{name:24} {json.dumps(table[name])}", flush=True)
    print(json.dumps({"clips": len(clips), "found": table}))


def false_alarms(args: argparse.Namespace) -> None:
    """Listen to unmarked speech, a minute at a time, as `selftalk detect` would."""
    heard = 0.0
    marks = cues = 0
    highest = 0.0
    shards = sorted(args.root.glob("shard-?????.npz"))
    speech = rendered(shards) if shards else whole_clips(args.root, args.seed)
    for minute, chunk in enumerate(itertools.islice(joined(speech, 60), args.skip, None)):
        finding = find_watermark(chunk, search_speeds=minute % args.search_every == 0)
        heard += chunk.duration_seconds
        marks += finding.found
        cues += find_cue(chunk)[0] > 0
        highest = max(highest, finding.confidence)
        print(f"{heard / 60:6.1f} min: {marks} marks, {cues} cues, up to {highest}", flush=True)
        if heard >= 3600 * args.hours:
            break
    print(json.dumps({"minutes": heard / 60, "watermarks": marks, "cues": cues}))


def cost(args: argparse.Namespace) -> None:
    """What marks cost when a stream is latest: CPU time of its first chunk, and sound held back."""
    opened = {
        name: open_synthesizer(default_bundle(), labels=LabelsConfig(watermark=on))
        for name, on in (("off", False), ("on", True))
    }
    voice = opened["on"].voice("default")
    for synthesizer in opened.values():
        synthesizer.warm_up()
    cpu_ms: dict[str, list[float]] = {"off": [], "on": [], "marking": []}
    held = []
    for _ in range(args.repetitions):
        lengths = {}
        for name, synthesizer in opened.items():
            stream = synthesizer.stream(SENTENCE, voice)
            began = time.process_time()
            chunk = next(stream)
            cpu_ms[name].append(1000 * (time.process_time() - began))
            lengths[name] = len(chunk.audio)
            stream.close()
        held.append(1000 * (lengths["off"] - lengths["on"]) / opened["on"].sample_rate_hz)
        cpu_ms["marking"].append(marking_ms())
    result = {f"{name}_cpu_ms": round(float(np.median(x)), 1) for name, x in cpu_ms.items()}
    p95 = round(float(np.percentile(cpu_ms["marking"], 95)), 1)
    print(json.dumps({**result, "marking_cpu_p95_ms": p95, "held_back_ms": max(held)}))


def marking_ms() -> float:
    """CPU time of marking the first 240 ms of a stream."""
    speech = np.float32(0.1 * np.random.default_rng(0).standard_normal(PIECE))
    labeller = Labeller(RATE_HZ)
    began = time.process_time()
    labeller.push(speech)
    return 1000 * (time.process_time() - began)


def some_clips(root: Path, count: int, seed: int) -> Iterator[np.ndarray]:
    """So many clips of all readers in turn, at most six seconds of each, at 24 kHz."""
    for clip in itertools.islice(whole_clips(root, seed), count):
        yield clip[: LONGEST_SECONDS * RATE_HZ]


def whole_clips(root: Path, seed: int) -> Iterator[np.ndarray]:
    """Clips of all readers in turn, at 24 kHz."""
    rng = random.Random(seed)
    readers = [rng.sample(paths, len(paths)) for paths in human_speech.paths_of(root).values()]
    for turn in itertools.zip_longest(*map(human_speech.clips, readers)):
        for chunk in filter(None, turn):
            yield resample(chunk.samples, chunk.sample_rate_hz, RATE_HZ)


def rendered(shards: list[Path]) -> Iterator[np.ndarray]:
    """What another synthesizer said, of the corpus that nano learns from."""
    for shard in shards:
        with np.load(shard) as arrays:
            yield np.float32(arrays["samples"]) / 32768


def joined(clips: Iterator[np.ndarray], seconds: int) -> Iterator[AudioChunk]:
    """Clips in a row, cut anew."""
    waiting = np.zeros(0, np.float32)
    for clip in clips:
        waiting = np.concatenate([waiting, clip])
        while len(waiting) >= seconds * RATE_HZ:
            yield AudioChunk(waiting[: seconds * RATE_HZ], RATE_HZ)
            waiting = waiting[seconds * RATE_HZ :]


def marked(speech: np.ndarray) -> np.ndarray:
    """As a synthesizer's output is marked."""
    labeller = Labeller(RATE_HZ)
    pieces = [labeller.push(speech[at : at + PIECE]) for at in range(0, len(speech), PIECE)]
    return np.concatenate([*pieces, labeller.flush()])


def after_cue(speech: np.ndarray) -> np.ndarray:
    """With the tones before it."""
    return np.concatenate([with_pause(rhythm_cue(RATE_HZ), RATE_HZ), speech])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, run in (("found", found), ("false-alarms", false_alarms)):
        command = commands.add_parser(name)
        command.add_argument("root", type=Path)
        command.add_argument("--seed", type=int, default=0)
        command.set_defaults(run=run)
        if run is found:
            command.add_argument("--clips", type=int, default=200)
            command.add_argument("--unmarked", action="store_true", help="count false alarms")
            command.add_argument("--more", action="store_true", help="harm that is not required")
        else:
            command.add_argument("--hours", type=float, default=2.0)
            command.add_argument("--skip", type=int, default=0, metavar="MINUTES",
                help="that were listened to before",
            )  # fmt: skip
            command.add_argument("--search-every", type=int, default=1, metavar="MINUTES",
                help="search other speeds, which is slow, only in one of so many minutes",
            )  # fmt: skip
    last = commands.add_parser("cost")
    last.add_argument("--repetitions", type=int, default=30)
    last.set_defaults(run=cost)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
