r"""What cloning gains: readers enrolled and learnt from a minute each, and who they sound like.

    python benchmarks/clone.py ROOT --work WORK [--only Allison …]

ROOT holds the unpacked packages that human_speech.py names. Each reader says eight English
sentences that nobody ever recorded: enrolled at once, then learnt. The table says, before → after:

    likeness      mean cosine (GE2E, as in Resemblyzer) of the sentences and ten held-out clips
    second judge  the same by CAM++, which nothing is trained with (see campplus.py; without it: -)
    nearest       whose held-out clips are nearest, among all readers and stock voices
    errors        words that the recogniser got wrong
    pitch         of the minute, and of the learnt voice

"own" is the likeness of the reader's real minute: no copy can reach more. Languages that nano does
not speak are learnt without text. Seconds are of processor time. Finished readers are kept in WORK,
and a stopped one goes on; with other weights all begin anew.
"""

import argparse
import hashlib
import json
import math
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from campplus import CamPlusPlus
from human_speech import clips, paths_of

from selftalk.export.cli_clone import heard, load_base, recognizer_of
from selftalk.export.clone_check import Check
from selftalk.export.cloning import HELD_OUT_EVERY, Candidate, Cloner
from selftalk.models.training.progress import ProgressBar
from selftalk.models.training.texts import held_out
from selftalk.stream.audio import AudioChunk, Float32Array, write_atomically
from selftalk.stream.bundle import Bundle, default_bundle
from selftalk.stream.nano_synthesizer import NanoSynthesizer
from selftalk.stream.pitch import mean_log_pitch, track_pitch
from selftalk.stream.speaker import SpeakerEncoder
from selftalk.stream.studio.enrolment import zero_shot_voice
from selftalk.stream.studio.recording import Slice
from selftalk.stream.synthesizer import SynthesisOptions
from selftalk.stream.timbre import SpeakerSpace
from selftalk.stream.voices import Voice, list_voices
from selftalk.stream.weights import resolve
from selftalk.stream.whisper_encoder import WEIGHTS, WhisperEncoder

LEARNT_SECONDS = 60.0
HELD_OUT_CLIPS = 10
SHORTEST_SECONDS, LONGEST_SECONDS = 3.0, 10.0
LANGUAGE = "en"
SENTENCES = held_out(LANGUAGE)[:8]
HEADER = (
    "| reader | own | likeness | second judge | nearest | errors | pitch | learnt | processor s |\n"
    "|---|---|---|---|---|---|---|---|---|"
)

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

    def __str__(self) -> str:
        """As Markdown."""
        a, b = self.before, self.after
        second = "-" if a.second is None or b.second is None else f"{a.second:.2f} → {b.second:.2f}"
        cells = [
            self.name, f"{self.ceiling:.2f}", f"{a.own:.2f} → {b.own:.2f}", second,
            f"{a.nearest} → {b.nearest}", f"{a.error_rate:.0%} → {b.error_rate:.0%}",
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
        self, reader: Reader, spoken: Sequence[AudioChunk], error_rate: float = 0.0
    ) -> Likeness:
        """Compare spoken sentences with everybody's clips."""
        embeddings = np.stack([self.embed(audio) for audio in spoken])
        near = {name: float((embeddings @ rows.T).mean()) for name, rows in self.known.items()}
        return Likeness(
            near[reader.name],
            self._by_second(reader, spoken),
            max(near, key=near.__getitem__),
            error_rate,
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

    def candidates(self, reader: Reader) -> tuple[list[Candidate], Check]:
        """Learn a reader."""
        known = reader.language in self.bundle.manifest.languages
        slices = [
            Slice(
                clip.samples,
                clip.sample_rate_hz,
                text=recognizer_of(reader.language).transcribe(clip).text if known else "",
            )
            for clip in reader.minute
        ]
        timbre = SpeakerSpace(self.bundle).timbre
        voice, _, _ = zero_shot_voice("reader", reader.minute, self.encoder, {}, timbre)
        cloner = Cloner(self.base, self.listen, self.work, watch=ProgressBar(reader.name))
        check = Check(
            self.synthesizer, heard, self.encoder.embed, {LANGUAGE: SENTENCES},
            self._kept_back(reader),
            self.work / "candidates",
        )  # fmt: skip
        return cloner.learn(voice, slices, reader.language), check

    def _kept_back(self, reader: Reader) -> Float32Array:
        """Mean embedding of those clips of the minute that are not learnt from."""
        clips = reader.minute[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
        return np.asarray(np.mean([self.encoder.embed(clip) for clip in clips], axis=0))

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
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle) if options.bundle else default_bundle()
    studio = Studio(bundle, options.weights, options.work)
    readers = [parted(name, paths) for name, paths in paths_of(options.root).items()]
    judges = Judges(studio.encoder.embed, readers, studio.stock())
    print(HEADER)
    for reader in readers:
        if not options.only or reader.name.startswith(tuple(options.only)):
            print(kept_row(reader, studio, judges), flush=True)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory {peak_mib:.0f} MiB")


def kept_row(reader: Reader, studio: Studio, judges: Judges) -> Row:
    """A reader's row, measured unless it was before."""
    graphs = {name: spec.sha256 for name, spec in studio.bundle.manifest.graphs.items()}
    digest = hashlib.sha256(json.dumps([reader.name, graphs]).encode()).hexdigest()[:12]
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
    candidates, check = studio.candidates(reader)
    chosen, after, before = check.choose(candidates)
    took = time.process_time() - began
    likeness = []
    for candidate, score in ((candidates[-1], before), (chosen, after)):
        voice = check.kept(candidate)
        spoken = [studio.say(text, voice) for text in SENTENCES]
        likeness.append(judges.judge(reader, spoken, score.error_rates[LANGUAGE]))
    real = judges.judge(reader, reader.minute)
    return Row(reader.name, real.own, real.pitch_hz, *likeness, chosen.what, took)


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


def _second_judge() -> Embed | None:
    try:
        return CamPlusPlus().embed
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
