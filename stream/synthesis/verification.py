"""Verification: is streamed speech the same as speech made at once, and free of clicks?

The same tokens and the same noise are vocoded in one piece and in many. What differs is the error
of the windows; they are told every token of the sentence beforehand (`SynthesisOptions.exact`).
Then each text is spoken as it is heard on this machine: a voice model whose encoder looks at tokens
to come says things a little otherwise while they are not known, which is no fault of the windows,
and is told apart. A click is a step at a border between chunks that the whole does not have, larger
than those speech makes by itself: the pulses of the vocal folds fall on borders too. Knows no voice
model.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate

import numpy as np

from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer
from selftalk.stream.synthesis.voices import Voice

ENOUGH_DB = 40.0
"""The error is then a hundredth of the sound, and cannot be heard beside it."""
ENOUGH_ROUNDED_DB = 25.0
"""Where a vocoder rounds what it computes to 8 bits. That alone leaves 30 dB, and windows are not
rounded alike."""
AS_MUCH_AS_WINDOWS_DB = 3.0
"""Twice the error of windows: as much again comes from elsewhere."""
IDENTICAL_DB = 200.0
"""In place of infinity, which JSON does not know."""
AT_ONCE = (1_000_000,)
CUTS = ((4, 6, 10, 16, 25), (5,), (25,))
"""Lengths of chunks to try: growing ones, short ones, long ones."""
JUMP_PERCENTILE = 99.9


@dataclass(frozen=True, slots=True)
class Comparison:
    """One text, streamed and at once."""

    signal_energy: float
    error_energy: float
    largest_error: float
    seam_jumps: Float32Array
    """(S,) by how much the step across each border between chunks differs from the whole's."""
    inner_jumps: Float32Array
    """(T,) steps between neighbours within chunks."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found over all texts."""

    utterances: int
    seams: int
    streamed_vs_whole_snr_db: float
    """Of the windows: every token was known before the first sound, on both sides."""
    largest_error: float
    """Of the windows."""
    as_heard_snr_db: float
    """The same with tokens as they come: what a listener hears while the sentence is being made."""
    seam_jump: float
    """The largest one."""
    seam_jump_limit: float
    """What one in a thousand steps within chunks exceeds."""
    needed_db: float = ENOUGH_DB

    @property
    def exact(self) -> bool:
        """Whether the error is too small to be heard beside the sound."""
        return self.streamed_vs_whole_snr_db >= self.needed_db

    @property
    def seams_are_quiet(self) -> bool:
        """Whether no border between chunks clicks."""
        return self.seam_jump <= self.seam_jump_limit

    @property
    def passed(self) -> bool:
        """Whether windows leave no trace."""
        return self.exact and self.seams_are_quiet

    @property
    def heard_exactly(self) -> bool:
        """Whether what was not known in time leaves none either, or less than windows do."""
        enough = min(ENOUGH_DB, self.streamed_vs_whole_snr_db - AS_MUCH_AS_WINDOWS_DB)
        return self.as_heard_snr_db >= enough


def verify_streaming(
    synthesizer: Synthesizer,
    voice: Voice,
    texts: Iterable[str],
    cuts: Sequence[tuple[int, ...]] = CUTS,
) -> Verdict:
    """Speak texts at once, in windows and as they are heard, and compare."""
    windows: list[Comparison] = []
    heard: list[Comparison] = []
    for text in texts:
        speak = partial(_speak, synthesizer, voice, text)
        whole = speak(AT_ONCE)
        windows += [compare(speak(lengths, exact=True), whole) for lengths in cuts]
        heard.append(compare(speak(None), whole))
    return verdict(windows, heard)


def compare(chunks: Sequence[Float32Array], whole: Sequence[Float32Array]) -> Comparison:
    """Compare chunks with the same speech in one piece; a missing end counts as an error."""
    streamed, reference = np.concatenate(chunks), np.concatenate(whole)
    length = max(len(streamed), len(reference))
    streamed, reference = (np.pad(x, (0, length - len(x))) for x in (streamed, reference))
    error = streamed.astype(np.float64) - reference
    jumps = np.abs(np.diff(streamed))
    seams = [end - 1 for end in accumulate(map(len, chunks[:-1])) if 0 < end < length]
    return Comparison(
        signal_energy=float(np.sum(np.square(reference, dtype=np.float64))),
        error_energy=float(np.sum(np.square(error))),
        largest_error=float(np.abs(error).max(initial=0)),
        seam_jumps=np.abs(np.diff(error)).astype(np.float32)[seams],
        inner_jumps=np.delete(jumps, seams),
    )


def verdict(windows: Sequence[Comparison], heard: Sequence[Comparison]) -> Verdict:
    """Sum up; at least one comparison of each must hold sound.

    Args:
        windows: with every token known beforehand.
        heard: with tokens as they come.
    """
    both = [*windows, *heard]
    seams = np.concatenate([one.seam_jumps for one in both])
    inner = np.concatenate([one.inner_jumps for one in both])
    return Verdict(
        utterances=len(both),
        seams=len(seams),
        streamed_vs_whole_snr_db=_snr_db(windows),
        largest_error=max(one.largest_error for one in windows),
        as_heard_snr_db=_snr_db(heard),
        seam_jump=float(seams.max(initial=0)),
        seam_jump_limit=float(np.percentile(inner, JUMP_PERCENTILE)),
    )


def _snr_db(comparisons: Sequence[Comparison]) -> float:
    signal = sum(one.signal_energy for one in comparisons)
    return decibels(signal, sum(one.error_energy for one in comparisons))


def decibels(signal_energy: float, error_energy: float) -> float:
    """Ratio of signal to error in dB, at most `IDENTICAL_DB`."""
    if not error_energy:
        return IDENTICAL_DB
    return min(IDENTICAL_DB, float(10 * np.log10(max(signal_energy, 1e-12) / error_energy)))


def _speak(
    synthesizer: Synthesizer,
    voice: Voice,
    text: str,
    lengths: tuple[int, ...] | None,
    *,
    exact: bool = False,
) -> list[Float32Array]:
    options: SynthesisOptions = replace(synthesizer.options, chunk_tokens=lengths, exact=exact)
    chunks: list[AudioChunk] = [
        chunk.audio for chunk in synthesizer.stream(text, voice, options=options)
    ]
    return [chunk.samples for chunk in chunks]
