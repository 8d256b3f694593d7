from pathlib import Path

import numpy as np
import pytest

from selftalk.stream.nano.conversion import LiveConverter
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.trust.labels import LabelsConfig, mark

TINY = Bundle.load(Path(__file__).parents[2] / "data" / "bundle_tiny")
VOICE = Voice("default", np.full(256, 1 / 16, np.float32), 5.0, {"origin": "stock"})
SPEECH = np.random.default_rng(0).standard_normal(48_000).astype(np.float32) * 0.1


class Listener:
    def tokens(self, samples, prosody):
        return (1e6 * np.abs(samples[::640])).astype(np.int64) % 8


def said(size, rate_hz=16_000, **options):
    converter = LiveConverter(TINY, Listener(), VOICE, sample_rate_hz=rate_hz, **options)
    pieces = [converter.push(SPEECH[at : at + size]) for at in range(0, len(SPEECH), size)]
    return np.concatenate([piece.samples for piece in [*pieces, converter.flush()]])


def test_the_sound_does_not_depend_on_how_it_came():
    whole = said(len(SPEECH))
    assert len(whole) == pytest.approx(3.0 * 24_000, abs=2 * 960)
    np.testing.assert_allclose(said(320), whole, atol=1e-4)
    np.testing.assert_allclose(said(1117), whole, atol=1e-4)


def test_any_rate_is_heard():
    assert len(said(480, rate_hz=48_000)) == pytest.approx(24_000, abs=2 * 960)


def test_it_is_never_later_than_it_says():
    converter = LiveConverter(TINY, Listener(), VOICE)
    made = 0
    for end in range(320, len(SPEECH) + 1, 320):
        made += len(converter.push(SPEECH[end - 320 : end]))
        assert made / 24_000 > end / 16_000 - converter.delay_seconds - 0.005
    assert converter.delay_seconds < 0.7


def test_it_is_marked_as_a_recording_is():
    plain = AudioChunk(said(320, labels=LabelsConfig(watermark=False)), 24_000)
    marked = said(320)
    np.testing.assert_allclose(marked, mark(plain).samples, atol=1e-4)
    assert np.abs(marked - plain.samples).max() > 1e-4
