import numpy as np
import pytest

from selftalk.stream.nano import content
from selftalk.stream.nano.content import (
    LONGEST_PIECE_SAMPLES,
    SHORTEST_PIECE_SAMPLES,
    TOKEN_SAMPLES,
    ContentEncoder,
    fitted,
    pieces_between_pauses,
)
from selftalk.stream.nano.speech_prosody import Prosody
from selftalk.stream.sound.audio import AudioChunk


class FakeWhisper:
    def __init__(self, folder):
        self.heard = []

    def encode(self, samples):
        self.heard.append(len(samples))
        return np.zeros((-(-len(samples) // 320), 512), np.float16)


class FakeTokenizer:
    """Its token is how many frames of prosody it was given."""

    def __init__(self, path):
        pass

    def run(self, *, features, prosody):
        assert features.shape[1] * 2 == prosody.shape[1]
        return {"tokens": np.full((1, prosody.shape[1] // 4), prosody.shape[1])}


@pytest.fixture
def encoder(monkeypatch, tmp_path):
    class FakeBundle:
        def graph_path(self, name):
            assert name == "tokenizer"

    monkeypatch.setattr(content, "Graph", FakeTokenizer)
    monkeypatch.setattr(content, "WhisperEncoder", FakeWhisper)
    return ContentEncoder(FakeBundle(), tmp_path)


def speech_with_a_pause(seconds, pause_at):
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000 * seconds).astype(np.float32)
    noise[int(16_000 * pause_at) : int(16_000 * (pause_at + 0.4))] = 0
    return noise


def test_a_recording_has_a_token_for_every_40_ms(encoder):
    made = encoder.encode(AudioChunk(speech_with_a_pause(3, 1)[:-100], 16_000))
    assert made.tokens.shape == (74,)
    assert made.prosody.frames.shape == (4 * 74, 3)


def test_what_is_long_is_cut_in_its_pause(encoder):
    samples = speech_with_a_pause(20, 9.0)
    pieces = list(pieces_between_pauses(samples))
    assert len(pieces) == 2
    assert len(pieces[0]) / 16_000 == pytest.approx(9.2, abs=0.2)
    assert encoder.encode(AudioChunk(samples, 16_000)).tokens.shape == (500,)


@pytest.mark.parametrize("tokens", [1, 124, 375, 376, 2000])
def test_pieces_are_the_whole_and_neither_short_nor_long(tokens):
    samples = np.random.default_rng(1).standard_normal(tokens * TOKEN_SAMPLES).astype(np.float32)
    pieces = list(pieces_between_pauses(samples))
    np.testing.assert_array_equal(np.concatenate(pieces), samples)
    assert all(len(piece) % TOKEN_SAMPLES == 0 for piece in pieces)
    assert all(len(piece) <= LONGEST_PIECE_SAMPLES for piece in pieces)
    assert all(len(piece) >= SHORTEST_PIECE_SAMPLES for piece in pieces[:-1])


def test_nothing_is_nothing(encoder):
    assert encoder.encode(AudioChunk(np.zeros(100, np.float32), 16_000)).tokens.shape == (0,)
    assert fitted(Prosody(np.zeros((0, 3), np.float32), 5.0), 4).frames.shape == (4, 3)
