"""Examples for nano's stages: a second of humming by a speaker who is a number."""

import numpy as np

from selftalk.models.training.examples import Example
from selftalk.stream.nano.alignment import align
from selftalk.stream.nano.harmonic import pulse_train

TOKENS = 20


def hum(seed):
    random = np.random.default_rng(seed)
    hz = 120.0 + 60 * seed
    samples = TOKENS * 960
    pulses = pulse_train(np.arange(samples) * hz / 24_000, np.full(samples, hz))
    durations = np.array([8, 16, 8])
    prosody = np.tile([0.0, 1.0, 1.3], (4 * TOKENS, 1)).astype(np.float32)
    return Example(
        text="m",
        language="en",
        symbols=np.array([1, 2 + seed, 1]),
        durations=durations,
        alignment=align(durations, TOKENS),
        wave=(0.2 * pulses + 0.01 * random.standard_normal(samples)).astype(np.float32),
        pulses=pulses,
        prosody=prosody,
        heard_prosody=prosody.astype(np.float16),
        speaker=np.full(129, 0.5, np.float32),
        speaker_name=f"s{seed}",
        pair=-1,
        first_sample=0,
    )
