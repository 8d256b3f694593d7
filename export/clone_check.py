"""The check of a cloned voice: is it still understood, and is it more like the person?

Sentences that nobody trained on are spoken by every candidate and written down by the recogniser.
The first candidate that is hardly less intelligible than the voice as it was is taken. Knows
nothing about training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selftalk.export.cloning import Candidate
from selftalk.stream.audio import AudioChunk, concat
from selftalk.stream.nano_synthesizer import NanoSynthesizer
from selftalk.stream.recognizer import Recognizer
from selftalk.stream.resample import resample
from selftalk.stream.synthesizer import SynthesisOptions
from selftalk.stream.voices import Voice
from selftalk.stream.wer import error_rate, total_error_rate

LOST_WORDS = 0.05
"""How much the word error rate may rise: 5 points."""
RECOGNIZER_RATE_HZ = 16_000

Embed = Callable[[AudioChunk], np.ndarray]


@dataclass(frozen=True)
class Score:
    """How one candidate speaks."""

    word_error_rate: float
    similarity: float
    """Cosine of its speech and held-out recordings of the person."""


@dataclass(frozen=True)
class Check:
    """What is needed to judge."""

    synthesizer: NanoSynthesizer
    recognizer: Recognizer
    embed: Embed
    language: str
    sentences: Sequence[str]
    held_out: np.ndarray
    """(256,) embedding of recordings that were not learnt from."""
    work: Path
    """Where patches are kept while they are tried."""

    def score(self, candidate: Candidate) -> Score:
        """Let a candidate speak all sentences."""
        voice = self.kept(candidate)
        options = SynthesisOptions(language=self.language)
        spoken = [self.synthesizer.synthesize(text, voice, options) for text in self.sentences]
        rates = [
            error_rate(text, self._heard(audio), self.language)
            for text, audio in zip(self.sentences, spoken, strict=True)
        ]
        embedding = self.embed(concat(spoken, self.synthesizer.sample_rate_hz))
        return Score(total_error_rate(rates).rate, float(embedding @ self.held_out))

    def choose(self, candidates: Sequence[Candidate]) -> tuple[Candidate, Score, Score]:
        """The best candidate, its score, and that of the voice as it was."""
        before = self.score(candidates[-1])
        for candidate in candidates[:-1]:
            after = self.score(candidate)
            clear = after.word_error_rate <= before.word_error_rate + LOST_WORDS
            if clear and after.similarity > before.similarity:
                return candidate, after, before
        return candidates[-1], before, before

    def kept(self, candidate: Candidate) -> Voice:
        """The candidate's voice with its patches in files, as the runtime wants them."""
        folder = self.work / candidate.what.replace(" ", "-").replace(",", "")
        folder.mkdir(parents=True, exist_ok=True)
        patches = {}
        for name, patch in candidate.patches.items():
            patches[name] = folder / f"{name}.patch"
            patch.save(patches[name])
        return replace(candidate.voice, patches=patches)

    def _heard(self, audio: AudioChunk) -> str:
        samples = resample(audio.samples, audio.sample_rate_hz, RECOGNIZER_RATE_HZ)
        return self.recognizer.transcribe(
            AudioChunk(samples, RECOGNIZER_RATE_HZ), self.language
        ).text
