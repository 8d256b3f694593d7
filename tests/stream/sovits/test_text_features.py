import dataclasses
import logging

import numpy as np
import pytest
import torch
from fakes_bert import VOCABULARY, tiny_bert
from fakes_sovits import SECOND_STAGES, bundle_of, imported, somebody

from selftalk.export.sovits import Listeners, export_voice, t2s_of
from selftalk.export.voice_model import load_voice_model
from selftalk.stream.errors import BundleError
from selftalk.stream.graphs.graph import Graph
from selftalk.stream.sovits import text_features
from selftalk.stream.sovits.full_stops import completed
from selftalk.stream.sovits.synthesizer import SovitsSynthesizer
from selftalk.stream.sovits.text_features import (
    TextFeatures,
    character_ids,
    feature_rows,
    parts_of,
    read_vocabulary,
    vocabulary_text,
)
from selftalk.stream.synthesis.bundle import Bundle
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.synthesis.voices import Voice
from selftalk.stream.text import phonemize

MIXED = "我用GPT写12行"


def numbered(ids):
    """Rows that say which id they are of."""
    return ids[:, None].astype(np.float32)


def test_rows_follow_characters_and_are_zero_for_other_languages():
    phonemes = completed(phonemize(MIXED, "zh"))
    rows = feature_rows(phonemes, VOCABULARY, numbered)
    said = ["" if not row else list(VOCABULARY)[int(row)] for row in rows[:, 0]]
    assert said == [*"我我用用", *[""] * 6, *"写写十十二二行行", "."]


def test_a_short_text_has_rows_for_the_stops_around_it():
    phonemes = completed(phonemize("你好", "zh"))
    rows = feature_rows(phonemes, VOCABULARY, numbered)
    assert [list(VOCABULARY)[int(row)] for row in rows[:, 0]] == [*".你你好好."]


def test_no_chinese_no_rows():
    assert feature_rows(phonemize("Hello.", "en"), VOCABULARY, numbered) is None
    assert feature_rows(phonemize("你好", "yue"), VOCABULARY, numbered) is None


def test_ids_stand_between_marks_and_unknown_characters_have_one_too():
    assert character_ids("你龘", VOCABULARY).tolist() == [2, 4, 1, 3]
    assert [len(part) for part in parts_of("好" * 1100)] == [510, 510, 80]


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_both_kinds_of_vocabulary_are_read(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".json":
        words = ", ".join(f'"{word}": {index}' for word, index in VOCABULARY.items())
        path.write_text('{"model": {"vocab": {' + words + "}}}", encoding="utf-8")
    else:
        path.write_text(vocabulary_text(VOCABULARY), encoding="utf-8")
    assert read_vocabulary(path) == VOCABULARY


@pytest.mark.parametrize(("name", "text"), [("a.json", "[]"), ("a.txt", "no\nmarks\n")])
def test_other_files_hold_no_vocabulary(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(BundleError, match="no vocabulary"):
        read_vocabulary(tmp_path / name)


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """A bundle that reads Chinese, and what reads it in torch."""
    model = imported(SECOND_STAGES[0])
    bert = tiny_bert(t2s_of(load_voice_model(model)).config.bert_width)
    folder = tmp_path_factory.mktemp("bundles") / "reading"
    export_voice(model, folder, precision="fp32", listeners=Listeners(None, None, bert, VOCABULARY))
    bundle = Bundle.load(folder)
    bundle.verify()
    return bundle, bert


def test_the_graph_says_what_torch_says(reading):
    bundle, bert = reading
    phonemes = phonemize("你好吗，我写十二行。", "zh")
    with torch.no_grad():
        expected = feature_rows(
            phonemes, VOCABULARY, lambda ids: bert(torch.from_numpy(ids)[None])[0].numpy()
        )
    assert len(expected) == len(phonemes)
    np.testing.assert_allclose(TextFeatures(bundle).rows(phonemes), expected, atol=1e-4)


def test_a_sentence_is_spoken_with_its_rows_and_those_of_the_reference(reading, monkeypatch):
    bundle, _ = reading
    voice = somebody(bundle)
    heard = phonemize("天气很好。", "zh")
    reference = dataclasses.replace(
        voice.reference,
        phones=np.arange(len(heard)),
        bert=TextFeatures(bundle).rows(heard),
    )
    voice = dataclasses.replace(voice, reference=reference)
    synthesizer = SovitsSynthesizer(bundle)
    semantic, seen = synthesizer._semantic, []
    prefill = semantic.prefill

    def watched(phones, prompt, bert=None):
        seen.append(bert)
        return prefill(phones, prompt, bert)

    monkeypatch.setattr(semantic, "prefill", watched)
    next(synthesizer.stream(MIXED, voice, options=SynthesisOptions(language="zh")))
    (rows,) = seen
    spoken = rows[len(heard) :].any(axis=1)
    assert rows[: len(heard)].all(axis=1).all()
    assert spoken.tolist() == [*[True] * 4, *[False] * 6, *[True] * 9]


def test_rows_change_what_is_said_next(reading):
    bundle, _ = reading
    semantic = SovitsSynthesizer(bundle)._semantic
    phonemes = phonemize("你好吗", "zh")
    phones, prompt = np.arange(len(phonemes)), np.arange(5)
    without = semantic.prefill(phones, prompt).logits
    with_rows = semantic.prefill(phones, prompt, TextFeatures(bundle).rows(phonemes)).logits
    assert np.abs(with_rows - without).max() > 1e-3


def test_rows_are_kept_in_a_voice(reading, tmp_path):
    voice = somebody(reading[0])
    reference = voice.reference
    rows = np.ones((len(reference.phones), 3), np.float32)
    path = tmp_path / "me.voice"
    dataclasses.replace(voice, reference=dataclasses.replace(reference, bert=rows)).save(path)
    np.testing.assert_array_equal(Voice.load(path).reference.bert, rows)
    voice.save(path)
    assert Voice.load(path).reference.bert is None


def test_bert_is_opened_by_chinese_only(reading, monkeypatch):
    opened = []

    def watched(path, run):
        opened.append(path.name)
        return Graph(path, run)

    monkeypatch.setattr(text_features, "Graph", watched)
    features = TextFeatures(reading[0])
    assert features.rows(phonemize("hello", "en")) is None
    assert not opened
    first, again = (features.rows(phonemize("你好", "zh")) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert opened == ["bert.onnx"]


def test_chinese_without_bert_is_told_once(caplog):
    features = TextFeatures(bundle_of())
    with caplog.at_level(logging.WARNING, "selftalk"):
        assert features.rows(phonemize("hello", "en")) is None
        assert not caplog.records
        assert features.rows(phonemize("你好", "zh")) is None
        assert features.rows(phonemize("你好", "zh")) is None
    assert ["--bert FOLDER" in record.message for record in caplog.records] == [True]
