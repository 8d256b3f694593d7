import numpy as np
import pytest

from selftalk.models.training.corpus import (
    SHARD_LINES,
    UNIT_SAMPLES,
    Line,
    Utterance,
    line_symbol_ids,
    write_shard,
)
from selftalk.models.training.styles import ProsodyMix, Timbre


def tiny_line(text="Hi.", symbols=("HH", "AY1", ".")):
    return Line(
        text=text,
        language="en",
        symbols=symbols,
        runs=tuple("x" for _ in symbols),
        speaker="s0001",
        timbre=Timbre("mix", ("af_a", "am_b"), 0.25),
        prosody=ProsodyMix(("af_a", "af_b")),
        speed=1.05,
        pair=7,
    )


def tiny_utterance(index, line, units):
    """Each symbol lasts `units` of 25 ms, after 3 and before 2 of silence."""
    random = np.random.default_rng(index)
    durations = np.array([3, *[units] * len(line.symbols), 2], np.int16)
    frames = 2 * int(durations.sum())
    return Utterance(
        index=index,
        line=line,
        audio=random.integers(-99, 99, int(durations.sum()) * UNIT_SAMPLES).astype(np.int16),
        symbols=line_symbol_ids(line),
        durations=durations,
        pitch_hz=random.random(frames).astype(np.float32) * 300,
        energy=random.random(frames).astype(np.float16),
        style=random.random(256).astype(np.float16),
    )


@pytest.fixture
def tiny_utterances():
    """Three utterances of shard 2."""
    first = 2 * SHARD_LINES
    return [
        tiny_utterance(first, tiny_line(), 3),
        tiny_utterance(first + 1, tiny_line("好。", ("h", "ao3", ".")), 1),
        tiny_utterance(first + 2, tiny_line("Oh.", ("OW1", ".")), 4),
    ]


@pytest.fixture
def write_tiny_shard():
    def write(folder, shard):
        line = tiny_line(symbols=("HH", "AY1", "."))
        write_shard(folder, shard, [tiny_utterance(shard * SHARD_LINES, line, 5)])

    return write
