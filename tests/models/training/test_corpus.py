import numpy as np
import pytest

from selftalk.models.training.corpus import (
    Corpus,
    append_manifest,
    read_manifest,
    read_shard,
    shard_path,
    write_arrays,
    write_shard,
)
from selftalk.stream.errors import ConfigError
from selftalk.stream.text.symbols import SYMBOLS_V2


def assert_same(read, written):
    assert (read.index, read.line) == (written.index, written.line)
    for name in ("audio", "symbols", "durations", "pitch_hz", "energy", "style"):
        expected = getattr(written, name)
        assert getattr(read, name).dtype == expected.dtype
        np.testing.assert_array_equal(getattr(read, name), expected)


def test_a_shard_gives_back_what_was_written(tmp_path, tiny_utterances):
    write_shard(tmp_path, 2, tiny_utterances)
    read = read_shard(tmp_path, 2)
    assert len(read) == len(tiny_utterances)
    for one, other in zip(read, tiny_utterances, strict=True):
        assert_same(one, other)
    assert read[0].whisper is None
    assert read[0].speaker_embedding is None


def test_utterances_know_their_length(tiny_utterances):
    assert tiny_utterances[0].duration_seconds == pytest.approx((3 + 3 * 3 + 2) * 0.025)
    assert np.abs(tiny_utterances[0].samples).max() <= 1


def test_symbols_are_ids_of_the_official_table(tiny_utterances):
    ids = tiny_utterances[0].symbols
    assert [SYMBOLS_V2[index] for index in ids] == ["HH", "AY1", "."]


def test_the_manifest_grows_and_keeps_its_lines(tmp_path, tiny_utterances):
    first, second, third = (utterance.line for utterance in tiny_utterances)
    assert read_manifest(tmp_path) == []
    append_manifest(tmp_path, [first, second])
    append_manifest(tmp_path, [third])
    assert read_manifest(tmp_path) == [first, second, third]


def test_a_corpus_finds_shards_and_features_that_appear_later(tmp_path, tiny_utterances):
    corpus = Corpus(tmp_path)
    assert list(corpus) == []
    write_shard(tmp_path, 2, tiny_utterances)
    corpus.refresh()
    assert [one.index for one in corpus] == [100, 101, 102]

    frames = np.arange(6, dtype=np.float16)[:, None] * np.ones(4, np.float16)
    lengths = np.array([3, 1, 2])
    write_arrays(shard_path(tmp_path, 2, "whisper"), frames=frames, lengths=lengths)
    embeddings = np.eye(3, dtype=np.float32)
    write_arrays(shard_path(tmp_path, 2, "speaker"), embeddings=embeddings)
    corpus.refresh()
    first, second, third = corpus
    np.testing.assert_array_equal(second.whisper, frames[3:4])
    np.testing.assert_array_equal(third.whisper, frames[4:])
    np.testing.assert_array_equal(first.speaker_embedding, embeddings[0])
    assert corpus.shards == (2,)


def test_unfinished_files_are_not_shards(tmp_path, tiny_utterances):
    write_shard(tmp_path, 0, tiny_utterances)
    (tmp_path / ".shard-00001.npz.tmp").write_bytes(b"half")
    assert Corpus(tmp_path).shards == (0,)


def test_a_damaged_shard_is_named(tmp_path, tiny_utterances):
    write_shard(tmp_path, 0, tiny_utterances)
    path = shard_path(tmp_path, 0)
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(ConfigError, match=r"shard-00000\.npz"):
        read_shard(tmp_path, 0)


def test_lengths_that_do_not_fit_are_refused(tmp_path, tiny_utterances):
    write_shard(tmp_path, 0, tiny_utterances)
    with np.load(shard_path(tmp_path, 0)) as file:
        arrays = dict(file)
    arrays["pitch_hz"] = arrays["pitch_hz"][:-1]
    write_arrays(shard_path(tmp_path, 0), **arrays)
    with pytest.raises(ConfigError, match="announced"):
        read_shard(tmp_path, 0)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        Corpus(tmp_path / "nowhere")
