import numpy as np
import pytest

from selftalk.models.training.corpus import Corpus, shard_path
from selftalk.models.training.features import add_missing, main
from selftalk.stream.listening.whisper_encoder import FRAME_SAMPLES


class FakeWhisper:
    """Two features a frame."""

    utterances = 0

    def encode(self, samples):
        self.utterances += 1
        return np.ones((-(-len(samples) // FRAME_SAMPLES), 2), np.float16)


class FakeSpeaker:
    def embed(self, chunk):
        return np.array([chunk.duration_seconds, 0], np.float32)


def test_only_missing_features_are_computed(tmp_path, write_tiny_shard):
    write_tiny_shard(tmp_path, 0)
    write_tiny_shard(tmp_path, 1)
    corpus = Corpus(tmp_path)
    whisper = FakeWhisper()
    assert add_missing(corpus, whisper, FakeSpeaker()) == 2
    assert whisper.utterances == 2
    corpus.refresh()
    for utterance in corpus:
        assert len(utterance.whisper) == round(utterance.duration_seconds * 50)
        assert utterance.speaker_embedding[0] == pytest.approx(utterance.duration_seconds)

    shard_path(tmp_path, 1, "speaker").unlink()
    assert add_missing(corpus, whisper, FakeSpeaker()) == 1
    assert whisper.utterances == 2
    assert add_missing(corpus, None, None) == 0


def test_a_missing_model_is_one_sentence_and_exit_2(tmp_path, caplog):
    arguments = ["--data", tmp_path, "--whisper", tmp_path, "--speaker", tmp_path / "x.onnx"]
    assert main([str(argument) for argument in arguments]) == 2
    assert "no whisper model" in caplog.text
