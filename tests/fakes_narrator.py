"""A synthesizer that hums each word for a tenth of a second, and tells whom it was asked for."""

from types import SimpleNamespace

import numpy as np

from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.speech import SpeechChunk, WordTime
from selftalk.stream.synthesis.voices import Voice

RATE = 24_000
WORD_SAMPLES = RATE // 10
VOICE = Voice("me", np.ones(4, np.float32) / 2, 5.0)


class Hummer:
    """Speaks a word as 100 ms of a tone; fails after a number of sentences, if wished."""

    sample_rate_hz = RATE

    def __init__(self, fail_after=None, model="a"):
        graph = SimpleNamespace(sha256=model)
        self.bundle = SimpleNamespace(manifest=SimpleNamespace(graphs={"vocoder": graph}))
        self.spoken = []
        self._fail_after = fail_after

    def stream(self, text, voice, *, options=None, stop=None, marks=None):
        del voice, options, stop, marks
        if self._fail_after is not None and len(self.spoken) >= self._fail_after:
            raise RuntimeError("the power failed")
        self.spoken.append(text)
        for place, word in enumerate(text.split()):
            tone = 0.3 * np.sin(np.arange(WORD_SAMPLES) * 0.1).astype(np.float32)
            start = place * WORD_SAMPLES
            said = WordTime(word.strip(".,!?"), start, start + WORD_SAMPLES)
            yield SpeechChunk(AudioChunk(tone, RATE), (said,))
