"""The check of a cloned voice: is it still understood, and is it more like the person?

Sentences that nobody trained on are spoken by every candidate, in all languages of the model, and
written down by a recogniser. Of the candidates that are hardly less intelligible in any of them
than the voice as it was, the one most like the person is taken. Knows nothing about training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selftalk.export.cloning import Candidate
from selftalk.stream.listening.wer import error_rate, total_error_rate
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.sound.audio import AudioChunk, concat
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.synthesis.voices import Voice

LOST_WORDS = 0.05
"""How much the word error rate may rise: 5 points."""
CLEARLY_MORE = 0.01
"""How much more alike a candidate must be to be taken instead of one that has learnt more."""

Embed = Callable[[AudioChunk], np.ndarray]
Hear = Callable[[AudioChunk, str], str]
"""Speech and its language → what was understood."""


@dataclass(frozen=True)
class Score:
    """How one candidate speaks."""

    error_rates: dict[str, float]
    """Of words, in Chinese and Japanese of characters, by language."""
    similarity: float
    """Cosine of its speech and held-out recordings of the person."""

    def understood_as(self, before: "Score") -> bool:
        """Whether no language lost more words than may be lost."""
        return all(
            rate <= before.error_rates[language] + LOST_WORDS
            for language, rate in self.error_rates.items()
        )


@dataclass(frozen=True)
class Check:
    """What is needed to judge."""

    synthesizer: NanoSynthesizer
    hear: Hear
    embed: Embed
    sentences: dict[str, Sequence[str]]
    """By language."""
    held_out: np.ndarray
    """(256,) embedding of recordings that were not learnt from."""
    work: Path
    """Where patches are kept while they are tried."""

    def score(self, candidate: Candidate) -> Score:
        """Let a candidate speak all sentences."""
        voice = self.kept(candidate)
        spoken, rates = [], {}
        for language, sentences in self.sentences.items():
            options = SynthesisOptions(language=language)
            said = [self.synthesizer.synthesize(text, voice, options) for text in sentences]
            rates[language] = total_error_rate(
                error_rate(text, self.hear(audio, language), language)
                for text, audio in zip(sentences, said, strict=True)
            ).rate
            spoken += said
        embedding = self.embed(concat(spoken, self.synthesizer.sample_rate_hz))
        return Score(rates, float(embedding @ self.held_out))

    def choose(self, candidates: Sequence[Candidate]) -> tuple[Candidate, Score, Score]:
        """The best candidate, its score, and that of the voice as it was.

        Args:
            candidates: from the most learnt to the voice as it was.
        """
        before = self.score(candidates[-1])
        best, highest = (candidates[-1], before), before.similarity
        for candidate in candidates[:-1]:
            after = self.score(candidate)
            if after.understood_as(before) and after.similarity > highest:
                best, highest = (candidate, after), after.similarity + CLEARLY_MORE
        return *best, before

    def kept(self, candidate: Candidate) -> Voice:
        """The candidate's voice with its patches in files, as the runtime wants them."""
        folder = self.work / candidate.what.replace(" ", "-").replace(",", "")
        folder.mkdir(parents=True, exist_ok=True)
        patches = {}
        for name, patch in candidate.patches.items():
            patches[name] = folder / f"{name}.patch"
            patch.save(patches[name])
        return replace(candidate.voice, patches=patches)
