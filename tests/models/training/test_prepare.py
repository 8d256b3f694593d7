import numpy as np
import pytest
import torch
from fakes_training import TINY_SOVITS, TINY_T2S

from selftalk.models.sovits import Sovits
from selftalk.models.t2s import Text2Semantic
from selftalk.models.training.dataset import (
    Recorded,
    item_path,
    load_items,
    read_description,
    read_list,
)
from selftalk.models.training.prepare import Preparation, levelled, prepare
from selftalk.models.training.semantic_task import SemanticTask
from selftalk.stream.errors import ConfigError
from selftalk.stream.sound.audio import AudioChunk, write_wav


@pytest.fixture
def recorded(tmp_path):
    time = np.arange(24_000) / 16_000
    write_wav(tmp_path / "a.wav", AudioChunk(np.sin(1000 * time).astype(np.float32), 16_000))
    write_wav(tmp_path / "short.wav", AudioChunk(np.ones(160, np.float32), 16_000))
    (tmp_path / "list").write_text(
        "a.wav|me|EN|Hello there.\nshort.wav|me|zh|你好\ngone.wav|me|en|Gone.\na.wav|me|en|...\n"
        f"a.wav|me|en|{'A very long text ' * 9}\n"
    )
    return tmp_path


class Ear:
    """Hears as many frames as there are, and counts how often it was asked."""

    heard = 0

    def __call__(self, wave):
        self.heard += 1
        assert wave.abs().max() <= 1
        return torch.randn(1, wave.shape[1] // 320, 12)


def test_what_can_be_used_is_prepared_and_the_rest_is_explained(recorded):
    ear = Ear()
    sovits = Sovits(TINY_SOVITS)
    preparation = Preparation("v1", sovits, ear, lambda bands: torch.ones(len(bands), 6))
    told = []
    lines = read_list(recorded / "list")
    prepare(lines, recorded / "set", preparation, lambda *step: told.append(step))
    found = read_description(recorded / "set")
    assert [item.text for item in found.items] == ["Hello there."]
    assert len(told) == 5
    reasons = " ".join(found.left_out.values())
    assert len(found.left_out) == 3  # one file was left out with two texts
    for reason in ("lasts 0.0 s", "does not exist", "not what is said"):
        assert reason in reasons
    item = load_items(recorded / "set", found.items)[0]
    assert len(item.wave) == 48_000
    assert len(item.tokens) == len(item.ssl) // 2 == 37
    assert item.speaker.shape == (6,)
    prepare(lines, recorded / "set", preparation)
    assert ear.heard == 1  # the second time it was there


def test_chinese_gets_features_and_is_prepared_anew_for_them(recorded):
    (recorded / "list").write_text("a.wav|me|zh|你好，hello。\na.wav|me|en|Hello there.\n")
    ear, lines = Ear(), read_list(recorded / "list")

    def read(phonemes):
        if not phonemes.characters:
            return None
        return np.array([[float(index >= 0)] * 4 for index in phonemes.character_index])

    sovits = Sovits(TINY_SOVITS)
    prepare(lines, recorded / "set", Preparation("v1", sovits, ear))
    plain = read_description(recorded / "set").items
    assert [item.bert for item in load_items(recorded / "set", plain)] == [None, None]
    prepare(lines, recorded / "set", Preparation("v1", sovits, ear, read=read))
    assert ear.heard == 3  # English has none, and was there
    chinese, english = load_items(recorded / "set", read_description(recorded / "set").items)
    assert chinese.bert.dtype == np.float16
    assert chinese.bert[:5].all()
    assert not chinese.bert[5:-1].any()
    assert chinese.bert[-1].all()
    assert english.bert is None
    task = SemanticTask(Text2Semantic(TINY_T2S), [chinese, english])
    assert task.loss(0)[0].isfinite()


def test_the_official_level():
    samples = levelled(np.array([0.0, 0.5, -0.25], np.float32))
    assert np.allclose(samples, [0, 0.5 * 0.95 + 0.25, -0.5 * 0.475 - 0.125])


@pytest.mark.parametrize(
    ("written", "sentence"),
    [("a.wav|me|en", "line 1 of .* is not"), ("a.wav|me|xx|hi", "unknown language 'xx'")],
)
def test_a_bad_list_is_explained(tmp_path, written, sentence):
    (tmp_path / "list").write_text(written)
    with pytest.raises(ConfigError, match=sentence):
        read_list(tmp_path / "list")


def test_a_text_may_hold_bars(tmp_path):
    (tmp_path / "list").write_text("a.wav|me|jp|x|y")
    (line,) = read_list(tmp_path / "list")
    assert (line.text, line.language, line.audio) == ("x|y", "ja", tmp_path / "a.wav")


def test_a_damaged_item_is_explained(tmp_path):
    path = item_path(tmp_path, "x")
    with pytest.raises(ConfigError, match="no prepared recording"):
        Recorded.load(path)
