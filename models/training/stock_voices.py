"""Stock voices: a few speakers of the corpus who belong to nobody, as `.voice` files.

Only sampled timbres are taken: points between the teacher's voices, which are no person's. Of
those that nano heard often enough some are kept, by a rating of the teacher's own recordings or,
once there is a model, by how clearly it speaks with them (`clarity.py`); among these some that lie
far apart are chosen. Knows nothing about synthesis.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selftalk.models.training.corpus import SAMPLE_RATE_HZ, Utterance
from selftalk.models.training.styles import Timbre
from selftalk.stream.nano.timbre import TIMBRE_SIZE
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.synthesis.voices import DEFAULT_VOICE, SUFFIX, Voice

LOW_NAMES = ("rowan", "silas", "oren", "tomas")
HIGH_NAMES = ("mila", "ines", "juno", "wren")
BORDER_HZ = 145.0  # between low and high voices
FEWEST_UTTERANCES = 5
RATED_UTTERANCES = 2

Rate = Callable[[AudioChunk], float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A speaker of the corpus: the recipe tells who, since each seed gives the same names anew."""

    speaker: str
    recipe: Timbre
    embedding: Float32Array  # (256,), of length 1
    timbre: Float32Array  # (128,)
    mean_log_pitch: float


Keep = Callable[[Sequence[Candidate]], list[Candidate]]


def candidates(utterances: Iterable[Utterance]) -> list[Candidate]:
    """Speakers with a sampled timbre and enough utterances."""
    sampled = [u for u in utterances if u.line.timbre.kind == "sample" and u.complete]
    return [
        _candidate(group)
        for group in _by_timbre(sampled).values()
        if len(group) >= FEWEST_UTTERANCES
    ]


def _by_timbre(utterances: Iterable[Utterance]) -> dict[Timbre, list[Utterance]]:
    grouped: dict[Timbre, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        grouped[utterance.line.timbre].append(utterance)
    return grouped


def _candidate(group: Sequence[Utterance]) -> Candidate:
    known = [u.speaker_embedding for u in group if u.speaker_embedding is not None]
    mean = np.mean(known, axis=0)
    pitches = [u.heard_mean_log_pitch for u in group if u.heard_mean_log_pitch is not None]
    pitch = float(np.mean(pitches))
    embedding = (mean / np.linalg.norm(mean)).astype(np.float32)
    timbre = np.mean([u.style[:TIMBRE_SIZE].astype(np.float32) for u in group], axis=0)
    line = group[0].line
    return Candidate(line.speaker, line.timbre, embedding, timbre.astype(np.float32), pitch)


def better_half(
    choices: Sequence[Candidate], utterances: Iterable[Utterance], rate: Rate
) -> list[Candidate]:
    """The candidates whose first recordings are rated best."""
    spoken = _by_timbre(utterances)

    def rating(choice: Candidate) -> float:
        heard = spoken[choice.recipe][:RATED_UTTERANCES]
        return float(np.mean([rate(AudioChunk(u.samples, SAMPLE_RATE_HZ)) for u in heard]))

    ranked = sorted(choices, key=rating, reverse=True)
    return ranked[: -(-len(ranked) // 2)]


def far_apart(choices: Sequence[Candidate], count: int) -> list[Candidate]:
    """Choose greedily: begin in the middle, then always the one farthest from all chosen."""
    embeddings = np.stack([choice.embedding for choice in choices])
    chosen = [int(np.argmax(embeddings @ embeddings.mean(axis=0)))]
    while len(chosen) < min(count, len(choices)):
        nearest = (embeddings @ embeddings[chosen].T).max(axis=1)
        nearest[chosen] = np.inf
        chosen.append(int(np.argmin(nearest)))
    return [choices[index] for index in chosen]


def stock_voices(utterances: Sequence[Utterance], keep: Keep) -> dict[str, Candidate]:
    """Names for four low and four high voices; `default` is the most central high one.

    Args:
        utterances: the corpus.
        keep: of low or of high speakers those that may be chosen.
    """
    everyone = candidates(utterances)
    low = keep([choice for choice in everyone if np.exp(choice.mean_log_pitch) < BORDER_HZ])
    high = keep([choice for choice in everyone if np.exp(choice.mean_log_pitch) >= BORDER_HZ])
    named = dict(zip(HIGH_NAMES, far_apart(high, len(HIGH_NAMES)), strict=False))
    named |= dict(zip(LOW_NAMES, far_apart(low, len(LOW_NAMES)), strict=False))
    return {DEFAULT_VOICE: named[HIGH_NAMES[0]], **named}


def voice_of(candidate: Candidate, name: str) -> Voice:
    """A candidate as a voice."""
    pitch_hz = np.exp(candidate.mean_log_pitch)
    about = {
        "description": f"synthetic, around {pitch_hz:.0f} Hz; belongs to nobody",
        "origin": f"nano corpus, speaker {candidate.speaker}",
    }
    return Voice(name, candidate.embedding, candidate.mean_log_pitch, about, candidate.timbre)


def save_voices(named: Mapping[str, Candidate], folder: Path) -> None:
    """Write the voices into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, candidate in named.items():
        voice_of(candidate, name).save(folder / f"{name}{SUFFIX}")
