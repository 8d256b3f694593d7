"""Narration: a whole text in a voice, sentence by sentence, as a server speaks it.

Also which voice is meant by the names that clients know. Knows nothing about formats or HTTP.
"""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from selftalk.stream.audio import AudioChunk
from selftalk.stream.errors import TextError
from selftalk.stream.sentences import SentenceSplitter
from selftalk.stream.server.app import ServerContext
from selftalk.stream.speech import PhoneTime, SpeechChunk, WordTime
from selftalk.stream.stop import StopFlag
from selftalk.stream.synthesizer import SynthesisOptions, Synthesizer

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
) -> Iterator[SpeechChunk]:
    """Yield the speech of a text; times of words are counted from its beginning.

    Args:
        synthesizer: who speaks.
        text: sentences, plain or with marks that are not spoken.
        voice: in whose voice.
        options: language, speed and so on.
        stop: set it to end within a step.
        pause_seconds: silence after each piece of the text, besides the voice's own.

    Raises:
        TextError: there is nothing in the text that can be spoken.
    """
    splitter = SentenceSplitter()
    rate_hz = synthesizer.sample_rate_hz
    silence = AudioChunk(np.zeros(round(pause_seconds * rate_hz), np.float32), rate_hz)
    position = 0
    for sentence in [*splitter.push(text), *splitter.flush()]:
        start = position
        for chunk in synthesizer.stream(sentence, voice, stop=stop, options=options):
            position += len(chunk.audio)
            yield SpeechChunk(chunk.audio, _shifted(chunk.words, start))
        if stop.is_set:
            return
        if len(silence) and position > start:
            position += len(silence)
            yield SpeechChunk(silence)
    if not position and not stop.is_set:
        raise TextError("the text holds nothing that can be spoken")


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
