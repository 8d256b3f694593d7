"""How many conversations this machine can hold: measured, not guessed.

One sentence is spoken and heard; the processor time of it says how many of the like fit.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.stages import Stages
from selftalk.stream.synthesis.speech import SpeechSynthesizer

SENTENCE = "So this is how long a sentence takes that is neither short nor long."
SPEAKING_SHARE = 0.5
"""Of the time in which a self speaks; the user speaks in the other half."""
USABLE_SHARE = 0.7
"""Of the processor: queues grow without end as it comes close to full."""


def measured_capacity(stages: Stages, cores: int | None = None) -> int:
    """Conversations at a time that the processor can serve in real time; at least one."""
    speaking = _cost(lambda: _speak(stages.synthesizer, stages.voice))
    hearing = _cost(lambda: _hear(stages))
    load = SPEAKING_SHARE * speaking + (1 - SPEAKING_SHARE) * hearing
    usable = USABLE_SHARE * (cores or os.cpu_count() or 1)
    return max(1, int(usable / max(load, 1e-4)))


def _cost(work: Callable[[], float]) -> float:
    """Processor seconds for each second of audio that `work` says it did."""
    begun = time.process_time()
    seconds = work()
    return (time.process_time() - begun) / max(seconds, 0.1)


def _speak(synthesizer: SpeechSynthesizer[Any], voice: Any) -> float:
    return sum(chunk.audio.duration_seconds for chunk in synthesizer.stream(SENTENCE, voice))


def _hear(stages: Stages) -> float:
    noise = np.random.default_rng(0).standard_normal(3 * 16_000).astype(np.float32) * 0.05
    chunk = AudioChunk(noise, 16_000)
    stages.recognizer.transcribe(chunk, stages.language)
    return chunk.duration_seconds
