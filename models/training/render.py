"""Rendering: planned lines become shards of speech.

    python -m selftalk.models.training.render plan --out runs/nano/render --lines 3000
    python -m selftalk.models.training.render work --out runs/nano/render --worker 0/2

`plan` appends lines to the manifest; any number of workers fill in the shards, each its own.
A worker may be stopped and started at any time: what it does next depends only on which
shards exist, and a line always gives the same sound. Knows nothing about features or models.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from selftalk.models.training.corpus import (
    SHARD_LINES,
    Line,
    Utterance,
    append_manifest,
    line_symbol_ids,
    read_manifest,
    read_shard,
    shard_path,
    write_shard,
)
from selftalk.models.training.styles import WEIGHTS as VOICE_WEIGHTS
from selftalk.models.training.styles import Speaker, StyleBank
from selftalk.models.training.teacher import MAX_CHARACTERS, Teacher
from selftalk.models.training.teacher import WEIGHTS as TEACHER_WEIGHTS
from selftalk.models.training.teacher_script import TeacherScript, write_script
from selftalk.models.training.texts import training_texts
from selftalk.stream.errors import ConfigError, SelftalkError, TextError
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.sound.audio import to_int16
from selftalk.stream.text import phonemize
from selftalk.stream.text.normalize_en import normalize

PAIR_SHARE = 0.3
SPEED_RANGE = (0.88, 1.15)
OFTEN_SHARE = 0.6

log = logging.getLogger(__name__)


class Planner:
    """Draws lines: which text, by which speaker, how fast."""

    def __init__(
        self,
        bank: StyleBank,
        speakers: int,
        seed: int,
        often: Sequence[Speaker] = (),
        pairs: float = PAIR_SHARE,
    ) -> None:
        """Draw the speakers.

        Args:
            bank: the stock voices, and what can be mixed of them.
            speakers: how many to draw.
            seed: the same seed draws the same speakers and the same lines.
            often: speakers who say `OFTEN_SHARE` of the lines, because they are shipped: what
                people hear most should be heard most in training.
            pairs: how many of the lines a second speaker says too; the tokenizer learns from them.
        """
        self._speakers = list(bank.speakers(speakers, seed))
        self._often = often
        self._pairs = pairs
        self._seed = seed

    def plan(self, texts: Iterable[tuple[str, str]], first_index: int) -> Iterator[Line]:
        """Give each (language, text) a speaker, and some a second one in the same prosody.

        Args:
            texts: what to say; a text that cannot be spoken is skipped.
            first_index: the place in the manifest of the first line.
        """
        index = first_index
        for language, text in texts:
            random = np.random.default_rng([self._seed, index])
            try:
                line = self._line(language, text, random)
            except TextError as error:
                log.warning("skipped %r: %s", text, error)
                continue
            if random.random() >= self._pairs:
                yield line
                index += 1
                continue
            other = self._other_speaker(line.speaker, random)
            yield replace(line, pair=index)
            yield replace(line, pair=index, speaker=other.name, timbre=other.timbre)
            index += 2

    def _other_speaker(self, name: str, random: np.random.Generator) -> Speaker:
        others = [speaker for speaker in self._speakers if speaker.name != name]
        return others[int(random.integers(len(others)))]

    def _line(self, language: str, text: str, random: np.random.Generator) -> Line:
        speaker = self._speakers[int(random.integers(len(self._speakers)))]
        if self._often and random.random() < OFTEN_SHARE:
            speaker = self._often[int(random.integers(len(self._often)))]
        symbols, script = read_aloud(text, language)
        speed = np.clip(speaker.speed * random.uniform(0.95, 1.06), *SPEED_RANGE)
        return Line(
            text=text,
            language=language,
            symbols=symbols,
            runs=script.runs,
            speaker=speaker.name,
            timbre=speaker.timbre,
            prosody=speaker.prosody[language],
            speed=round(float(speed), 3),
        )


def read_aloud(text: str, language: str) -> tuple[tuple[str, ...], TeacherScript]:
    """The symbols of a text, and how the teacher reads them.

    Raises:
        TextError: the teacher cannot say it, or not so much at once.
    """
    phonemes = phonemize(text, language)
    if language == "en":
        # «$3.50» is one written word but four spoken ones, and the teacher wants the spaces.
        spelled = phonemize(_spelled_out(text), language)
        phonemes = spelled if spelled.symbols == phonemes.symbols else phonemes
    script = write_script(phonemes)
    if len(script.characters) > MAX_CHARACTERS:
        raise TextError(f"{len(script.characters)} characters are too many for the teacher")
    return phonemes.symbols, script


def _spelled_out(text: str) -> str:
    return " ".join(word for _, words in normalize(text) for word in words)


def render_line(teacher: Teacher, bank: StyleBank, line: Line, index: int) -> Utterance:
    """Speak one line."""
    script = TeacherScript(line.runs)
    style = bank.style(line.timbre, line.prosody, len(script.characters))
    speech = teacher.speak(script.characters, style, line.speed)
    return Utterance(
        index=index,
        line=line,
        audio=to_int16(speech.samples / max(1.0, float(np.abs(speech.samples).max()))),
        symbols=line_symbol_ids(line),
        durations=script.fold(speech.prosody.durations).astype(np.int16),
        pitch_hz=speech.prosody.pitch_hz,
        energy=speech.prosody.energy.astype(np.float16),
        style=style.astype(np.float16),
    )


def render_shard(teacher: Teacher, bank: StyleBank, folder: Path, shard: int) -> float:
    """Render and write one shard; return its seconds of sound."""
    first = shard * SHARD_LINES
    lines = read_manifest(folder)[first : first + SHARD_LINES]
    utterances = [render_line(teacher, bank, line, first + row) for row, line in enumerate(lines)]
    write_shard(folder, shard, utterances)
    return sum(utterance.duration_seconds for utterance in utterances)


def plan(
    folder: Path,
    planner: Planner,
    lines: int,
    shares: dict[str, float],
    seed: int,
    words_share: float = 0.0,
) -> int:
    """Extend the manifest to at least `lines` lines, in whole shards; return their number."""
    folder.mkdir(parents=True, exist_ok=True)
    planned = read_manifest(folder)
    wanted = -(-lines // SHARD_LINES) * SHARD_LINES - len(planned)
    if wanted > 0:
        spoken = {line.text for line in planned}
        texts = training_texts(shares, seed + len(planned), spoken, words_share)
        drawn = planner.plan(texts, len(planned))
        append_manifest(folder, islice(drawn, wanted))
    return max(wanted, 0) + len(planned)


def work(
    folder: Path, teacher: Teacher, bank: StyleBank, worker: int, workers: int, hours: float
) -> float:
    """Render this worker's missing shards until it has its share; return its hours of sound."""
    seconds = 0.0
    for shard in count(worker, workers):
        if seconds >= hours * 3600 or (shard + 1) * SHARD_LINES > len(read_manifest(folder)):
            break
        if shard_path(folder, shard).is_file():
            seconds += sum(u.duration_seconds for u in read_shard(folder, shard))
            continue
        began, cpu_began = time.monotonic(), time.process_time()
        rendered = render_shard(teacher, bank, folder, shard)
        seconds += rendered
        log.info(
            "shard %d: %.1f s of sound at %.2f s of processor and %.2f s of time each; %.2f h",
            shard,
            rendered,
            (time.process_time() - cpu_began) / rendered,
            (time.monotonic() - began) / rendered,
            seconds / 3600,
        )
    return seconds / 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        bank = StyleBank.load(options.voices or resolve(VOICE_WEIGHTS))
        if options.command == "plan":
            shares = _shares(options.shares)
            often = [speaker for text in options.often for speaker in _often(bank, text)]
            planner = Planner(bank, options.speakers, options.seed, often, options.pairs)
            lines = plan(options.out, planner, options.lines, shares, options.seed, options.words)
            log.info("%d lines are planned", lines)
        else:
            worker, workers = _worker(options.worker)
            teacher = Teacher(options.teacher or resolve(TEACHER_WEIGHTS))
            hours = work(options.out, teacher, bank, worker, workers, options.hours)
            log.info("worker %d has %.2f h", worker, hours)
    except SelftalkError as error:
        log.error("%s", error)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="render", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    planning = commands.add_parser("plan", help="append lines to the manifest")
    planning.add_argument("--lines", type=int, default=3000, help="in the whole manifest")
    planning.add_argument("--shares", default="en=65,zh=35", help="of the languages, by lines")
    planning.add_argument("--pairs", type=float, default=PAIR_SHARE, help="share said twice")
    planning.add_argument("--words", type=float, default=0.0, help="share of nonsense lines")
    planning.add_argument("--speakers", type=int, default=400)
    planning.add_argument("--seed", type=int, default=1)
    planning.add_argument(
        "--often",
        default=[],
        action="append",
        metavar="SEED:N,N",
        help="speakers, by the seed that drew them, who say more than half of the lines",
    )
    working = commands.add_parser("work", help="render what is planned")
    working.add_argument("--worker", default="0/1", help="this worker's number / all workers")
    working.add_argument("--hours", type=float, default=2.0, help="of sound, for this worker")
    for command in (planning, working):
        command.add_argument("--out", type=Path, required=True, help="folder of the corpus")
        command.add_argument("--voices", type=Path, help="folder of stock voices, if not fetched")
    working.add_argument("--teacher", type=Path, help="folder of the teacher, if not fetched")
    return parser


def _shares(text: str) -> dict[str, float]:
    try:
        pairs = (item.split("=") for item in text.split(","))
        return {language: float(share) for language, share in pairs}
    except ValueError as error:
        raise ConfigError(f"shares are written as 'en=65,zh=35', not '{text}'") from error


def _often(bank: StyleBank, text: str) -> list[Speaker]:
    """The speakers of '1:79,145': numbers 79 and 145 among those drawn with the seed 1."""
    seed, _, numbers = text.partition(":")
    wanted = [number.strip() for number in numbers.split(",")]
    if not (seed.isdigit() and all(number.isdigit() for number in wanted)):
        raise ConfigError(f"speakers are written as '1:79,145', a seed and numbers, not '{text}'")
    drawn = list(bank.speakers(max(map(int, wanted)) + 1, int(seed)))
    # With another seed the same number is another speaker, so the name has to tell them apart.
    return [
        replace(drawn[int(number)], name=f"{drawn[int(number)].name}-{seed}") for number in wanted
    ]


def _worker(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    if first.isdigit() and second.isdigit() and int(first) < int(second):
        return int(first), int(second)
    raise ConfigError(f"a worker is written as '0/2', the first of two, not '{text}'")


if __name__ == "__main__":
    sys.exit(main())
