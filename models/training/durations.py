"""Durations: how long the teacher would make each symbol, asked without making sound.

    python -m selftalk.models.training.durations --data runs/corpus --lines 6000 --seed 1 \
        --out runs/durations/1.npz

A plan costs a fiftieth of the speech it is for, and the teacher knows it more finely than it
speaks: only in the end are durations rounded to 25 ms. So the text encoder learns them from many
times as many lines as there are recordings, and from numbers without that noise. Each line is said
by somebody of the corpus. Knows nothing about how they are learnt.
"""

import argparse
import io
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from selftalk.models.training.corpus import Corpus, Line, Utterance
from selftalk.models.training.examples import KEPT_LEAD_UNITS, KEPT_TAIL_UNITS, SILENCE
from selftalk.models.training.render import read_aloud
from selftalk.models.training.styles import WEIGHTS as VOICE_WEIGHTS
from selftalk.models.training.styles import StyleBank
from selftalk.models.training.teacher import WEIGHTS as TEACHER_WEIGHTS
from selftalk.models.training.teacher import Teacher
from selftalk.models.training.texts import training_texts
from selftalk.stream.errors import ConfigError, SelftalkError, TextError
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.nano.timbre import TIMBRE_SIZE, speaker_vector
from selftalk.stream.sound.audio import Float32Array, write_atomically
from selftalk.stream.text.symbols import symbol_ids

WORDS_SHARE = 0.3
SHARES = {"en": 0.65, "zh": 0.35}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """What the teacher would do with a line; N symbols."""

    symbols: npt.NDArray[np.int64]
    """(N,) ids, silence first and last."""
    durations: Float32Array
    """(N,) in units of 25 ms, not rounded, little silence around; none is below 1 unit but where
    the teacher writes nothing."""
    speaker: Float32Array
    """(129,) speaker vector."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the corpus, as one of their utterances shows them."""

    line: Line
    speaker: Float32Array


def person_of(utterance: Utterance) -> Person:
    """Who said an utterance."""
    assert utterance.heard_mean_log_pitch is not None, "the features come first"
    timbre = utterance.style[:TIMBRE_SIZE].astype(np.float32)
    return Person(utterance.line, speaker_vector(timbre, utterance.heard_mean_log_pitch))


def planned_line(teacher: Teacher, bank: StyleBank, text: str, person: Person) -> PlannedLine:
    """How somebody would say a text.

    Raises:
        TextError: the teacher cannot say it.
    """
    symbols, script = read_aloud(text, person.line.language)
    characters = script.characters
    style = bank.style(person.line.timbre, person.line.prosody, len(characters))
    units = script.fold(np.maximum(teacher.durations(characters, style, person.line.speed), 1))
    units[0] = min(units[0], KEPT_LEAD_UNITS)
    units[-1] = min(units[-1], KEPT_TAIL_UNITS)
    ids = np.array(symbol_ids((SILENCE, *symbols, SILENCE)), np.int64)
    return PlannedLine(ids, units.astype(np.float32), person.speaker)


def planned_lines(
    teacher: Teacher, bank: StyleBank, people: Sequence[Person], seed: int
) -> Iterator[PlannedLine]:
    """Lines without end; the same seed gives the same ones."""
    random = np.random.default_rng([7, seed])
    by_language = {
        language: [person for person in people if person.line.language == language]
        for language in SHARES
    }
    shares = {language: share for language, share in SHARES.items() if by_language[language]}
    for language, text in training_texts(shares, 100_000 + seed, (), WORDS_SHARE):
        some = by_language[language]
        try:
            yield planned_line(teacher, bank, text, some[int(random.integers(len(some)))])
        except TextError as error:
            log.warning("skipped %r: %s", text, error)


def save_lines(lines: Iterable[PlannedLine], path: Path) -> None:
    """Write lines as one .npz of concatenated arrays."""
    kept = list(lines)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        lengths=np.array([len(line.symbols) for line in kept], np.int32),
        symbols=np.concatenate([line.symbols for line in kept]).astype(np.int16),
        durations=np.concatenate([line.durations for line in kept]).astype(np.float16),
        speakers=np.stack([line.speaker for line in kept]).astype(np.float16),
    )
    write_atomically(path, content.getvalue())


def load_lines(path: Path) -> list[PlannedLine]:
    """Read what `save_lines` wrote.

    Raises:
        ConfigError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            ends = np.cumsum(arrays["lengths"])[:-1]
            symbols = np.split(arrays["symbols"].astype(np.int64), ends)
            durations = np.split(arrays["durations"].astype(np.float32), ends)
            speakers = arrays["speakers"].astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"'{path}' holds no planned lines: {error}") from error
    return [PlannedLine(*each) for each in zip(symbols, durations, speakers, strict=True)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--lines", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--voices", type=Path, help="folder of stock voices, if not fetched")
    parser.add_argument("--teacher", type=Path, help="folder of the teacher, if not fetched")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        bank = StyleBank.load(options.voices or resolve(VOICE_WEIGHTS))
        teacher = Teacher(options.teacher or resolve(TEACHER_WEIGHTS), silent=True)
        people = [person_of(each) for each in Corpus(options.data) if each.complete]
        options.out.parent.mkdir(parents=True, exist_ok=True)
        lines = islice(planned_lines(teacher, bank, people, options.seed), options.lines)
        save_lines(lines, options.out)
    except SelftalkError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
