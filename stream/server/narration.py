"""Narration: a whole text in a voice, sentence by sentence, as a server speaks it.

Also which voice is meant by the names that clients know. Knows nothing about HTTP.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import takewhile
from typing import Any, cast

import numpy as np

from selftalk.stream.dialogue.sentences import SentenceSplitter
from selftalk.stream.errors import TextError
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.encoder import Encoder
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesis.speech import PhoneTime, SpeechChunk, WordTime
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer
from selftalk.stream.trust.labels import LabelsConfig, notice_in, opening

OPENAI_VOICES = frozenset(
    "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar".split()
)
"""Names that programs hard-code; here they mean the server's own voice."""
SLOWEST, FASTEST = 0.5, 2.0


def synthesizer_of(context: ServerContext) -> Synthesizer:
    """The synthesizer that all connections share."""
    return cast(Synthesizer, context.stages.synthesizer)


def voice_for(context: ServerContext, name: str | None) -> tuple[str, Any]:
    """The voice that a client means, and its true name.

    Raises:
        VoiceError: there is no such voice, or it must not be used.
    """
    if not name or (name in OPENAI_VOICES and name not in context.voice_names()):
        return context.default_voice, context.stages.voice
    return name, context.voice_named(name)


def narrate(
    synthesizer: Synthesizer,
    text: str,
    voice: Any,
    options: SynthesisOptions,
    stop: StopFlag,
    *,
    pause_seconds: float = 0.0,
    labels: LabelsConfig | None = None,
) -> Iterator[SpeechChunk]:
    """Yield the speech of a text; times of words are counted from the first sample.

    Args:
        synthesizer: who speaks.
        text: sentences, plain or with marks that are not spoken.
        voice: in whose voice.
        options: language, speed and so on.
        stop: set it to end within a step.
        pause_seconds: silence after each piece of the text, besides the voice's own.
        labels: what is due to be heard first, where something begins; None in its midst.

    Raises:
        TextError: there is nothing in the text that can be spoken.
    """
    cue = opening(synthesizer.sample_rate_hz, labels) if labels else None
    speak = partial(synthesizer.stream, voice=voice, stop=stop, options=options)
    pause_samples = round(pause_seconds * synthesizer.sample_rate_hz)
    unstopped = takewhile(lambda _: not stop.is_set, _sentences(text, options, labels))
    chunks = _spoken(unstopped, speak, len(cue) if cue else 0, pause_samples)
    first = next(chunks, None)
    if first is None and not stop.is_set:
        raise TextError("the text holds nothing that can be spoken")
    if first is not None:
        if cue is not None:
            yield SpeechChunk(cue)
        yield first
        yield from chunks


def _spoken(
    sentences: Iterable[str],
    speak: Callable[[str], Iterator[SpeechChunk]],
    position: int,
    pause_samples: int,
) -> Iterator[SpeechChunk]:
    """Yield the sentences, from a sample on."""
    for sentence in sentences:
        start, rate_hz = position, 0
        for chunk in speak(sentence):
            position, rate_hz = position + len(chunk.audio), chunk.audio.sample_rate_hz
            yield SpeechChunk(chunk.audio, _shifted(chunk.words, start))
        if pause_samples and rate_hz:
            position += pause_samples
            yield SpeechChunk(AudioChunk(np.zeros(pause_samples, np.float32), rate_hz))


def encoded(chunks: Iterator[SpeechChunk], encoder: Encoder) -> Iterator[bytes]:
    """Yield speech as the bytes of a format."""
    for chunk in chunks:
        yield encoder.push(chunk.audio.samples)
    yield encoder.flush()


def _sentences(text: str, options: SynthesisOptions, labels: LabelsConfig | None) -> list[str]:
    splitter = SentenceSplitter()
    notice = notice_in(options.language, labels) if labels else []
    return [*notice, *splitter.push(text), *splitter.flush()]


def _shifted(words: tuple[WordTime, ...], samples: int) -> tuple[WordTime, ...]:
    return tuple(
        WordTime(
            word.text,
            word.start_samples + samples,
            word.end_samples + samples,
            tuple(PhoneTime(one, a + samples, b + samples) for one, a, b in word.phones),
        )
        for word in words
    )
