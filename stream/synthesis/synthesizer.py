"""Synthesizer: text in a voice → chunks of speech, the first of them at once.

`open_synthesizer` opens the one that a bundle needs: nano or GPT-SoVITS. Callers know neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from selftalk.stream.errors import BundleError, TextError
from selftalk.stream.graphs.graph import ON_ONE_CORE, RunOptions
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.calibration import known_schedule
from selftalk.stream.synthesis.sampling import SamplingConfig
from selftalk.stream.synthesis.speech import Marks, SpeechChunk
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.text.language_guess import guess_language
from selftalk.stream.trust.labels import DEFAULT_LABELS, LabelsConfig

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class SynthesisOptions:
    """What can be chosen for an utterance."""

    language: str = AUTO
    """A code, or "auto": guessed from each text."""
    speed: float = 1.0
    pitch_semitones: float = 0.0
    seed: int = 0
    sampling: SamplingConfig | None = None
    """None: what suits the voice model."""
    chunk_tokens: tuple[int, ...] | None = None
    """Lengths of the first chunks in tokens of 40 ms; the last one repeats. None: as the machine
    allows, if it was measured."""
    exact: bool = False
    """Draw a sentence to its end before its first sound: an imported voice then knows all it looks
    at. The shipped one looks no farther than it may, and is exact in any case."""


class Synthesizer(Protocol):
    """Text and voice → speech; may be shared by threads, one utterance each at a time."""

    @property
    def bundle(self) -> Bundle:
        """The voice model."""
        ...

    options: SynthesisOptions
    """What holds for an utterance that brings no options of its own."""

    @property
    def sample_rate_hz(self) -> int:
        """The rate of every chunk."""
        ...

    def voice(self, name: str) -> Voice:
        """Load a voice by name.

        Raises:
            VoiceError: there is no voice of this name, or this model cannot speak with it.
        """
        ...

    def stream(
        self,
        text: str,
        voice: Voice,
        *,
        stop: StopFlag | None = None,
        marks: Marks | None = None,
        options: SynthesisOptions | None = None,
    ) -> Iterator[SpeechChunk]:
        """Yield the speech of a sentence chunk by chunk; nothing when it holds nothing to say.

        Args:
            text: one sentence, or a clause of it.
            voice: whose voice.
            stop: looked at before every token; when set, the stream ends.
            marks: told the names of `metrics.SYNTHESIS_MARKS` when they are reached.
            options: in place of the synthesizer's own.

        Raises:
            TextError: the voice model does not speak the language.
        """
        ...

    def synthesize(
        self, text: str, voice: Voice, options: SynthesisOptions | None = None
    ) -> AudioChunk:
        """The whole utterance at once."""
        ...

    def warm_up(self) -> None:
        """Speak a word to nobody, so that the first sentence does not pay for loading."""
        ...


def open_synthesizer(
    bundle: Bundle,
    options: SynthesisOptions | None = None,
    *,
    decoder_run: RunOptions = ON_ONE_CORE,
    vocoder_run: RunOptions = ON_ONE_CORE,
    labels: LabelsConfig = DEFAULT_LABELS,
) -> Synthesizer:
    """Load the graphs of a bundle; what they speak is marked as synthetic.

    Args:
        bundle: any voice model.
        options: for utterances that come without their own.
        decoder_run: where and how tokens are drawn.
        vocoder_run: where and how they become sound.
        labels: how speech is marked.

    Raises:
        BundleError: it is of a kind that this version does not know, or damaged.
    """
    from selftalk.stream.synthesis.labelled_synthesizer import LabelledSynthesizer

    inner = _open_inner(bundle, options, decoder_run, vocoder_run)
    return LabelledSynthesizer(inner, labels)


def _open_inner(
    bundle: Bundle,
    options: SynthesisOptions | None,
    decoder_run: RunOptions,
    vocoder_run: RunOptions,
) -> Synthesizer:
    kind = bundle.manifest.kind
    if kind == "nano":
        from selftalk.stream.nano.synthesizer import NanoSynthesizer

        return NanoSynthesizer(
            bundle,
            options,
            decoder_run=decoder_run,
            vocoder_run=vocoder_run,
            schedule=known_schedule(bundle, decoder_run, vocoder_run),
        )
    if kind == "sovits":
        from selftalk.stream.sovits.synthesizer import SovitsSynthesizer

        return SovitsSynthesizer(
            bundle,
            options,
            decoder_run=decoder_run,
            vocoder_run=vocoder_run,
            schedule=known_schedule(bundle, decoder_run, vocoder_run),
        )
    raise BundleError(f"bundle '{bundle.manifest.name}' is of the unknown kind '{kind}'")


def language_of(text: str, bundle: Bundle, options: SynthesisOptions) -> str:
    """The language to speak a text in.

    Raises:
        TextError: the voice model does not speak it.
    """
    manifest = bundle.manifest
    language = options.language
    if language == AUTO:
        language = guess_language(text, default=manifest.languages[0])
    if language not in manifest.languages:
        raise TextError(
            f"voice model '{manifest.name}' does not speak '{language}';"
            f" it speaks {', '.join(manifest.languages)}"
        )
    return language


def tell_nobody(mark: str) -> None:
    """The marks of an utterance that nobody watches."""
    del mark
