"""Finishing: from the bare sound of a voice model to chunks of speech.

Limits peaks, puts the silence at both ends right and hands each word out with its sound. Shared by
the synthesizers. Knows nothing about models.
"""

from collections.abc import Iterator

import numpy as np

from selftalk.stream.dialogue.spoken_words import SpokenWords
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.synthesis.chunks import limited
from selftalk.stream.synthesis.silence import EdgeSilence
from selftalk.stream.synthesis.speech import SpeechChunk, WordTime

Sound = tuple[Float32Array, bool]
"""Samples, and whether they are the last."""


def finished(
    sounds: Iterator[Sound], edge: EdgeSilence, times: tuple[WordTime, ...], sample_rate_hz: int
) -> Iterator[SpeechChunk]:
    """Turn sounds into chunks of speech.

    Args:
        sounds: what the model says, piece by piece.
        edge: a new one, with the pause that is to follow.
        times: of the words, as if nothing of the sounds was cut off.
        sample_rate_hz: of the sounds.
    """
    words, heard = SpokenWords(times), 0
    for samples, over in sounds:
        ready = edge.push(limited(samples))
        if over:
            ready = np.concatenate([ready, edge.flush()])
        heard += len(ready)
        said = words.take(heard, edge.trimmed_samples, over=over)
        if len(ready) or said:
            yield SpeechChunk(AudioChunk(ready, sample_rate_hz), said)
