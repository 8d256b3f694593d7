r"""What cloning gains: readers enrolled and learnt from a minute each, and who they sound like.

    python benchmarks/clone.py ROOT --work WORK [--only Allison …] [--json]

ROOT holds the unpacked packages that human_speech.py names. Each reader is enrolled, then learnt as
`selftalk clone` does it, which tries what it has learnt on sentences and clips of its own. Some
other English sentences, which neither the program nor anybody's recording knows, are then said by
both voices and compared with ten clips that nothing was chosen by. Of enrolled → learnt:

    likeness      mean cosine (GE2E, as in Resemblyzer) of the sentences and the ten clips
    second judge  the same by CAM++, which nothing is trained with (see campplus.py; without it: -)
    nearest       whose clips are nearest, among all readers and stock voices
    errors        words that the recogniser got wrong
    pitch         of the minute, and of the learnt voice

"own" is the likeness of the reader's real minute: no copy can reach more. Languages that nano does
not speak are learnt without text. Seconds are of processor time. The table is Markdown, or with
--json one object. Finished readers are kept in WORK, and a stopped one goes on when the command is
given again; with other weights all begin anew.
"""

import argparse
import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
from campplus import CamPlusPlus
from harness import peak_mb
from human_speech import clips, paths_of

from selftalk.export import cloning
from selftalk.export.cli_clone import heard, judged, keep, load_base, recognizer_of
from selftalk.export.cloning import Cloner
from selftalk.models.training.progress import ProgressBar
from selftalk.models.training.texts import held_out
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.listening.wer import error_rate, total_error_rate
from selftalk.stream.listening.whisper_encoder import WEIGHTS, WhisperEncoder
from selftalk.stream.machine import describe
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.nano.timbre import SpeakerSpace
from selftalk.stream.sound.audio import AudioChunk, Float32Array, write_atomically
from selftalk.stream.sound.pitch import mean_log_pitch, track_pitch
from selftalk.stream.studio.enrolment import zero_shot_voice
from selftalk.stream.studio.recording import Recording, Slice
from selftalk.stream.studio.report import RecordingReport
from selftalk.stream.synthesis.bundle import Bundle, default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.synthesis.voices import Voice, list_voices

LEARNT_SECONDS = 60.0
HELD_OUT_CLIPS = 10
SHORTEST_SECONDS, LONGEST_SECONDS = 3.0, 10.0
LANGUAGE = "en"
SENTENCES = held_out(LANGUAGE)[12:36]
"""The program chooses by others, and the first are those that its page lets be heard."""
HEADER = (
    "| reader | own | likeness | gain | second judge | nearest | errors | pitch | learnt"
    " | processor s |\n|---|---|---|---|---|---|---|---|---|---|"
)
ENOUGH_GAIN, ENOUGH_LOST = 0.08, 0.05

Embed = Callable[[AudioChunk], Float32Array]


@dataclass(frozen=True)
class Reader:
    """Clips to learn from, and others."""

    name: str
    minute: list[AudioChunk]
    unheard: list[AudioChunk]

    @property
    def language(self) -> str:
        """As its name tells."""
        return self.name.partition("(")[2][:2]


@dataclass(frozen=True)
class Likeness:
    """Of what a voice says, to its owner and to all."""

    own: float
    second: float | None
    nearest: str
    error_rate: float
    pitch_hz: float


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    ceiling: float
    pitch_hz: float
    before: Likeness
    after: Likeness
    learnt: str
    seconds: float
    peak_mib: float

    @property
    def gain(self) -> float:
        """In likeness."""
        return self.after.own - self.before.own

    def __str__(self) -> str:
        """As Markdown."""
        a, b = self.before, self.after
        second = "-" if a.second is None or b.second is None else f"{a.second:.2f} → {b.second:.2f}"
        cells = [
            self.name, f"{self.ceiling:.2f}", f"{a.own:.2f} → {b.own:.2f}", f"{self.gain:+.3f}",
            second, f"{a.nearest} → {b.nearest}", f"{a.error_rate:.1%} → {b.error_rate:.1%}",
            f"{self.pitch_hz:.0f}, {b.pitch_hz:.0f} Hz", self.learnt, f"{self.seconds:.0f}",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


class Judges:
    """Who is like whom."""

    def __init__(
        self, embed: Embed, readers: Sequence[Reader], stock: dict[str, np.ndarray]
    ) -> None:
        self.embed = embed
        self.second = _second_judge()
        unheard = {each.name: np.stack([embed(clip) for clip in each.unheard]) for each in readers}
        self.known = unheard | stock

    def judge(
        self, reader: Reader, spoken: Sequence[AudioChunk], texts: Sequence[str] = ()
    ) -> Likeness:
        """Compare sentences with everybody's clips, and with their texts if those are known."""
        embeddings = np.stack([self.embed(audio) for audio in spoken])
        near = {name: float((embeddings @ rows.T).mean()) for name, rows in self.known.items()}
        return Likeness(
            near[reader.name],
            self._by_second(reader, spoken),
            max(near, key=near.__getitem__),
            misheard(spoken, texts) if texts else 0.0,
            pitch_hz(spoken),
        )

    def _by_second(self, reader: Reader, spoken: Sequence[AudioChunk]) -> float | None:
        if self.second is None:
            return None
        a, b = (
            np.stack([self.second(audio) for audio in part]) for part in (spoken, reader.unheard)
        )
        return float((a @ b.T).mean())


class Studio:
    """All that enrols, learns and speaks."""

    def __init__(self, bundle: Bundle, weights: Path | None, work: Path) -> None:
        self.bundle, self.work = bundle, work
        self.base = load_base(bundle, weights)
        self.encoder = SpeakerEncoder(bundle.graph_path("speaker"))
        self.synthesizer = NanoSynthesizer(bundle)
        self.listen = WhisperEncoder(resolve(WEIGHTS)).encode

    def voices(self, reader: Reader) -> tuple[Voice, Voice, str]:
        """A reader enrolled and learnt, and what was learnt."""
        timbre = SpeakerSpace(self.bundle).timbre
        voice, _, _ = zero_shot_voice("reader", reader.minute, self.encoder, {}, timbre)
        recording = self.recording(reader)
        cloner = Cloner(self.base, self.listen, self.work, watch=ProgressBar(reader.name))
        candidates = cloner.learn(voice, recording.slices, reader.language)
        chosen, after, before = judged(candidates, recording, self.bundle, self.work)
        path = keep(chosen, {"before": before, "after": after}, self.work / "voices")
        return voice, Voice.load(path), chosen.what

    def recording(self, reader: Reader) -> Recording:
        """A reader's minute as `selftalk record` would keep it, but that each clip is a slice."""
        known = reader.language in self.bundle.manifest.languages
        slices = tuple(
            Slice(
                clip.samples,
                clip.sample_rate_hz,
                text=recognizer_of(reader.language).transcribe(clip).text if known else "",
            )
            for clip in reader.minute
        )
        seconds = sum(piece.seconds for piece in slices)
        return Recording("reader", reader.language, slices, RecordingReport((), seconds, seconds))

    def stock(self) -> dict[str, np.ndarray]:
        """Embeddings of what the stock voices say."""
        spoken = {}
        for name in list_voices(self.bundle.voices_folder):
            voice = self.synthesizer.voice(name)
            said = [self.say(text, voice) for text in SENTENCES[:2]]
            spoken[f"stock {name}"] = np.stack([self.encoder.embed(audio) for audio in said])
        return spoken

    def say(self, text: str, voice: Voice) -> AudioChunk:
        """A sentence, without watermark: the bare model is measured, nothing is kept."""
        return self.synthesizer.synthesize(text, voice, SynthesisOptions(language=LANGUAGE))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--only", nargs="+", help="readers whose names begin so")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)  # the exporter's thousands of lines
    bundle = Bundle.load(options.bundle) if options.bundle else default_bundle()
    studio = Studio(bundle, options.weights, options.work)
    readers = [parted(name, paths) for name, paths in paths_of(options.root).items()]
    judges = Judges(studio.encoder.embed, readers, studio.stock())
    tell = (lambda _: None) if options.json else partial(print, flush=True)
    tell(HEADER)
    rows = []
    for reader in readers:
        if not options.only or reader.name.startswith(tuple(options.only)):
            rows.append(kept_row(reader, studio, judges))
            tell(rows[-1])
    facts = {"machine": describe(), **summary(rows)}
    tell("\n" + "\n".join(f"{name}: {value}" for name, value in facts.items()))
    if options.json:
        print(json.dumps(facts | {"rows": [asdict(row) for row in rows]}, ensure_ascii=False))


def summary(rows: Sequence[Row]) -> dict[str, int | float]:
    """What the whole table comes to."""
    words = sum(error_rate(text, "", LANGUAGE).reference_words for text in SENTENCES)
    return {
        "sentences": len(SENTENCES),
        "words": words,
        "readers": len(rows),
        f"gain at least {ENOUGH_GAIN}": sum(row.gain >= ENOUGH_GAIN for row in rows),
        "nearest to themselves": sum(
            person_of(row.after.nearest) == person_of(row.name) for row in rows
        ),
        f"at most {ENOUGH_LOST:.0%} more errors": sum(
            row.after.error_rate <= row.before.error_rate + ENOUGH_LOST for row in rows
        ),
        "processor seconds at most": round(max((row.seconds for row in rows), default=0)),
        "peak memory in MiB": round(max((row.peak_mib for row in rows), default=0)),
    }


def person_of(name: str) -> str:
    """Of a reader, who may have read in several languages."""
    return name.partition(" (")[0]


def kept_row(reader: Reader, studio: Studio, judges: Judges) -> Row:
    """A reader's row, measured unless it was before."""
    graphs = {name: spec.sha256 for name, spec in studio.bundle.manifest.graphs.items()}
    numbers = studio.bundle.manifest.numbers
    facts = [reader.name, graphs, numbers, cloning.FORMAT, asdict(cloning.Lengths()), SENTENCES]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
    path = studio.work / f"row-{digest}.json"
    if path.exists():
        held = json.loads(path.read_text())
        return Row(**held | {when: Likeness(**held[when]) for when in ("before", "after")})
    row = measured(reader, studio, judges)
    write_atomically(path, json.dumps(asdict(row)).encode())
    return row


def measured(reader: Reader, studio: Studio, judges: Judges) -> Row:
    """Enrol, learn, speak and compare."""
    began = time.process_time()
    enrolled, learnt, what = studio.voices(reader)
    took = time.process_time() - began
    likeness = [
        judges.judge(reader, [studio.say(text, voice) for text in SENTENCES], SENTENCES)
        for voice in (enrolled, learnt)
    ]
    real = judges.judge(reader, reader.minute)
    return Row(reader.name, real.own, real.pitch_hz, *likeness, what, took, peak_mb())


def parted(name: str, paths: Sequence[Path], seed: int = 0) -> Reader:
    """A minute of clips to learn from, and others."""
    usable = [
        clip
        for clip in clips(list(paths))
        if SHORTEST_SECONDS <= clip.duration_seconds <= LONGEST_SECONDS
    ]
    order = np.random.default_rng(seed).permutation(len(usable))
    seconds = np.cumsum([usable[index].duration_seconds for index in order])
    count = int(np.searchsorted(seconds, LEARNT_SECONDS)) + 1
    if len(usable) < count + HELD_OUT_CLIPS:
        raise SystemExit(f"too few clips of {name}")
    chosen = [usable[index] for index in order[: count + HELD_OUT_CLIPS]]
    return Reader(name, chosen[:count], chosen[count:])


def pitch_hz(spoken: Sequence[AudioChunk]) -> float:
    """Mean pitch of some speech."""
    return math.exp(mean_log_pitch(np.concatenate([track_pitch(audio) for audio in spoken])))


def misheard(spoken: Sequence[AudioChunk], texts: Sequence[str]) -> float:
    """The rate of words that the recogniser got wrong."""
    return total_error_rate(
        error_rate(text, heard(audio, LANGUAGE), LANGUAGE)
        for text, audio in zip(texts, spoken, strict=True)
    ).rate


def _second_judge() -> Embed | None:
    try:
        return CamPlusPlus().embed
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
