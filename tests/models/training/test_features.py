import numpy as np
import pytest

from selftalk.models.training.corpus import Corpus, shard_path
from selftalk.models.training.features import (
    FRAME_SAMPLES,
    GAP_FRAMES,
    WINDOW_FRAMES,
    Place,
    add_missing,
    main,
    pack,
    whisper_frames,
)


class FrameLevels:
    """Feature 0 of a frame is the mean of its samples."""

    def __init__(self):
        self.windows = 0

    def encode(self, samples):
        self.windows += 1
        assert len(samples) == WINDOW_FRAMES * FRAME_SAMPLES
        return samples.reshape(WINDOW_FRAMES, FRAME_SAMPLES).mean(axis=1, keepdims=True)


def test_utterances_share_windows_and_never_straddle_two():
    places = pack([700, 700, 200, 1400, 1])
    assert places == [
        Place(0, 0),
        Place(0, 700 + GAP_FRAMES),
        Place(1, 0),
        Place(2, 0),
        Place(2, 1400 + GAP_FRAMES),
    ]


def test_each_utterance_gets_the_frames_of_its_own_sound():
    encoder = FrameLevels()
    lengths = [320 * 600, 320 * 599 + 1, 320 * 400, 160]
    spoken = [np.full(n, level, np.float32) for level, n in enumerate(lengths, start=1)]
    frames = whisper_frames(encoder, spoken)
    assert [len(piece) for piece in frames] == [600, 600, 400, 1]
    assert encoder.windows == 2
    for level, piece in enumerate(frames[:3], start=1):
        np.testing.assert_array_equal(piece[:-1], np.full_like(piece[:-1], level))
        assert piece.dtype == np.float16
    assert frames[3][0, 0] == pytest.approx(4 * 160 / 320)


def test_what_is_longer_than_a_window_is_heard_to_its_end():
    frames = whisper_frames(FrameLevels(), [np.ones(320 * 1600, np.float32), np.ones(320, "f4")])
    assert [len(piece) for piece in frames] == [WINDOW_FRAMES, 1]


class FakeSpeaker:
    def embed(self, chunk):
        return np.array([chunk.duration_seconds, 0], np.float32)


def test_only_missing_features_are_computed(tmp_path, write_tiny_shard):
    write_tiny_shard(tmp_path, 0)
    write_tiny_shard(tmp_path, 1)
    corpus = Corpus(tmp_path)
    whisper = FrameLevels()
    assert add_missing(corpus, whisper, FakeSpeaker()) == 2
    assert whisper.windows == 2
    corpus.refresh()
    for utterance in corpus:
        assert len(utterance.whisper) == round(utterance.duration_seconds * 50)
        assert utterance.speaker_embedding[0] == pytest.approx(utterance.duration_seconds)

    shard_path(tmp_path, 1, "speaker").unlink()
    assert add_missing(corpus, whisper, FakeSpeaker()) == 1
    assert whisper.windows == 2
    assert add_missing(corpus, None, None) == 0


def test_a_missing_model_is_one_sentence_and_exit_2(tmp_path, caplog):
    arguments = ["--data", tmp_path, "--whisper", tmp_path, "--speaker", tmp_path / "x.onnx"]
    assert main([str(argument) for argument in arguments]) == 2
    assert "no whisper model" in caplog.text
