"""The check of a cloned voice: is it still understood, and is it more like the person?

Sentences that nobody trained on are spoken by every candidate, in all languages of the model, and
written down by a recogniser. All speak the same sentences with the same seeds, so what each loses
is counted sentence by sentence against the voice as it was: that differs by chance less than two
rates do. The one that has learnt most is taken of those that are hardly less intelligible and more
like the person: who has learnt more is more alike, and to choose among many would be to choose by
chance. Knows nothing about training.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selftalk.export.cloning import Candidate
from selftalk.stream.listening.wer import ErrorRate, error_rate, total_error_rate
from selftalk.stream.nano.synthesizer import NanoSynthesizer
from selftalk.stream.sound.audio import AudioChunk, concat
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.synthesis.voices import Voice

LOST_WORDS = 0.05
"""How much the word error rate may rise in one language: 5 points."""
LOST_TOGETHER = 0.04
"""And in all: what eighty sentences tell is uncertain by a point and a half."""
DOUBT = 1.645
"""Standard errors by which a loss has to exceed that in one language: 95 % are below."""

Embed = Callable[[AudioChunk], np.ndarray]
Hear = Callable[[AudioChunk, str], str]
"""Speech and its language → what was understood."""
Watch = Callable[[int, int, dict[str, float]], None]
"""Told after every sentence: how many are done, and how many there are."""


@dataclass(frozen=True)
class Score:
    """How one candidate speaks."""

    errors: Mapping[str, Sequence[ErrorRate]]
    """Of each sentence in words, in Chinese and Japanese in characters, by language."""
    similarity: float
    """Cosine of its speech and held-out recordings of the person."""

    @property
    def error_rates(self) -> dict[str, float]:
        """Of all sentences of a language."""
        return {language: total_error_rate(each).rate for language, each in self.errors.items()}

    def understood_as(self, before: "Score") -> bool:
        """Whether not too many words are lost: of all together, and beyond doubt of any language.

        A dozen sentences of one language alone differ by five points for no reason.
        """
        pairs = {
            language: list(zip(each, before.errors[language], strict=True))
            for language, each in self.errors.items()
        }
        together, _ = lost_words([pair for each in pairs.values() for pair in each])
        alone = [lost_words(each) for each in pairs.values()]
        return together <= LOST_TOGETHER and all(
            lost - DOUBT * uncertainty <= LOST_WORDS for lost, uncertainty in alone
        )


def lost_words(pairs: Sequence[tuple[ErrorRate, ErrorRate]]) -> tuple[float, float]:
    """By how much the error rate has risen, and the standard error of that.

    Args:
        pairs: of each sentence the errors after and before.
    """
    words = np.array([after.reference_words for after, _ in pairs])
    more = np.array([after.errors - before.errors for after, before in pairs])
    lost = float(more.sum() / words.sum())
    spread = np.square(more - lost * words).sum() * len(pairs) / max(len(pairs) - 1, 1)
    return lost, math.sqrt(spread) / float(words.sum())


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
    watch: Callable[[str], Watch] = lambda _what: lambda _done, _all, _figures: None
    """What watches the check of a candidate, by what that has learnt."""

    def score(self, candidate: Candidate) -> Score:
        """Let a candidate speak all sentences."""
        voice = self.kept(candidate)
        watch, count = self.watch(candidate.what), sum(map(len, self.sentences.values()))
        spoken: list[AudioChunk] = []
        errors: dict[str, list[ErrorRate]] = {language: [] for language in self.sentences}
        for language, sentences in self.sentences.items():
            options = SynthesisOptions(language=language)
            for text in sentences:
                audio = self.synthesizer.synthesize(text, voice, options)
                errors[language].append(error_rate(text, self.hear(audio, language), language))
                spoken.append(audio)
                watch(len(spoken), count, {})
        embedding = self.embed(concat(spoken, self.synthesizer.sample_rate_hz))
        return Score(errors, float(embedding @ self.held_out))

    def choose(self, candidates: Sequence[Candidate]) -> tuple[Candidate, Score, Score]:
        """The first candidate that is good enough, its score, and that of the voice as it was.

        Args:
            candidates: from the most learnt to the voice as it was.
        """
        before = self.score(candidates[-1])
        for candidate in candidates[:-1]:
            after = self.score(candidate)
            if after.understood_as(before) and after.similarity > before.similarity:
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
