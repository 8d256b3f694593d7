from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from msgspec import structs

from selftalk.models.training.stock_voices import (
    FEWEST_UTTERANCES,
    HIGH_NAMES,
    LOW_NAMES,
    better_half,
    candidates,
    save_voices,
    stock_voices,
)
from selftalk.models.training.styles import Timbre
from selftalk.stream.synthesis.voices import Voice


@pytest.fixture
def corpus(tiny_utterances):
    """Forty sampled speakers, half of them low; the louder they are the better they are rated."""
    random = np.random.default_rng(0)
    spoken = []
    for number in range(40):
        embedding = random.standard_normal(256).astype(np.float32)
        line = structs.replace(
            tiny_utterances[0].line, speaker=f"s{number:02d}", timbre=Timbre("sample", seed=number)
        )
        level = np.full_like(tiny_utterances[0].audio, 100 + number // 2)
        utterance = replace(
            tiny_utterances[0],
            line=line,
            audio=level,
            whisper=np.zeros((1, 512), np.float16),
            speaker_embedding=embedding / np.linalg.norm(embedding),
            heard_prosody=np.zeros((4, 3), np.float16),
            heard_mean_log_pitch=float(np.log(110 + 100 * (number % 2))),
        )
        spoken += FEWEST_UTTERANCES * [utterance]
    return spoken


def test_a_name_that_two_seeds_gave_is_two_speakers(corpus):
    spoken = [replace(u, line=structs.replace(u.line, speaker="s00")) for u in corpus]
    everyone = candidates(spoken)
    assert len(everyone) == 40
    assert {choice.speaker for choice in everyone} == {"s00"}


def rate(chunk):
    return float(np.abs(chunk.samples).mean())


def test_there_are_low_and_high_voices_of_the_better_half(corpus):
    named = stock_voices(corpus, partial(better_half, utterances=corpus, rate=rate))
    assert set(named) == {"default", *LOW_NAMES, *HIGH_NAMES}
    assert all(np.exp(named[name].mean_log_pitch) < 145 for name in LOW_NAMES)
    assert all(np.exp(named[name].mean_log_pitch) > 145 for name in HIGH_NAMES)
    assert all(int(choice.speaker[1:]) >= 20 for choice in named.values())
    assert len({named[name].speaker for name in (*LOW_NAMES, *HIGH_NAMES)}) == 8


def test_voices_know_their_timbre(corpus, tmp_path):
    save_voices(stock_voices(corpus, partial(better_half, utterances=corpus, rate=rate)), tmp_path)
    voice = Voice.load(tmp_path / "mila.voice")
    np.testing.assert_allclose(voice.timbre, corpus[0].style[:128], atol=1e-3)
