import io
import json
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.errors import ConfigError, LabelError
from selftalk.stream.trust.aigc import AigcLabel, new_label, parse_label
from selftalk.stream.trust.audit import AuditLog
from selftalk.stream.trust.labels import (
    LabelsConfig,
    label_file,
    labelled,
    notice_in,
    opening,
    read_label,
)

RATE_HZ = 24_000
FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("FLAC", "PCM_16"),
    ("OGG", "OPUS"),
    ("OGG", "VORBIS"),
    ("MP3", "MPEG_LAYER_III"),
]
LABEL = new_label("selftalk", "0123")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))


def encoded(container, subtype, seconds=0.5):
    file = io.BytesIO()
    samples = 0.1 * np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ) + 1)
    soundfile.write(file, samples, RATE_HZ, format=container, subtype=subtype)
    return file.getvalue()


def decoded(content):
    return soundfile.read(io.BytesIO(content), dtype="float32")


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_a_label_goes_in_and_comes_out_and_the_sound_stays(container, subtype):
    plain = encoded(container, subtype)
    marked = labelled(plain, LABEL)
    assert read_label(plain) is None
    assert read_label(marked) == LABEL
    for before, after in zip(decoded(plain), decoded(marked), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_a_second_label_replaces_the_first(container, subtype):
    other = new_label("another", "4567")
    marked = labelled(labelled(encoded(container, subtype), LABEL), other)
    assert read_label(marked) == other
    assert marked.count(b"ContentProducer") == 1
    assert b"selftalk" not in marked or b'"selftalk"' not in marked


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_the_file_holds_the_label_as_plain_text(container, subtype):
    assert LABEL.to_json().encode() in labelled(encoded(container, subtype), LABEL)


@pytest.mark.parametrize("producer", ["abc", "abcd"])
def test_a_wav_of_odd_label_stays_a_wav(producer):
    content = labelled(encoded("WAV", "PCM_16"), new_label(producer, "1"))
    assert len(content) % 2 == 0
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    with wave.open(io.BytesIO(content)) as file:
        assert file.getnframes() == RATE_HZ // 2 + 1


def test_a_long_ogg_keeps_every_page():
    plain = encoded("OGG", "VORBIS", seconds=20)
    marked = labelled(plain, new_label("x" * 70_000, "1"))  # its header fills pages
    np.testing.assert_array_equal(decoded(plain)[0], decoded(marked)[0])
    assert read_label(marked).ContentProducer == "x" * 70_000


def test_id3_frames_of_others_stay():
    plain = encoded("MP3", "MPEG_LAYER_III")
    frame = b"TIT2" + (6).to_bytes(4) + b"\0\0" + b"\x03title"
    size = len(frame) + 10  # and padding
    tagged = b"ID3\x03\0\0" + bytes([0, 0, 0, size]) + frame + bytes(10) + plain
    marked = labelled(tagged, LABEL)
    assert frame in marked
    assert read_label(marked) == LABEL
    np.testing.assert_array_equal(decoded(plain)[0], decoded(marked)[0])


def test_the_fields_stand_in_the_order_of_the_standard():
    assert list(json.loads(LABEL.to_json())) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert LABEL.to_json() == (
        '{"Label":"1","ContentProducer":"selftalk","ProduceID":"0123","ReservedCode1":"",'
        '"ContentPropagator":"selftalk","PropagateID":"0123","ReservedCode2":""}'
    )


def test_both_ways_to_write_a_label_are_read():
    assert parse_label(LABEL.to_json()) == LABEL
    assert parse_label('{"AIGC":' + LABEL.to_json() + "}") == LABEL


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"AIGC":{}}', '{"AIGC":1}', "\x00", "null"])
def test_what_is_no_label(text):
    assert parse_label(text) is None


@given(st.text(max_size=8))
def test_only_the_characters_of_the_standard_pass(text):
    allowed = all(0x21 <= ord(c) <= 0x7E and c not in '"\\' for c in text)
    try:
        label = AigcLabel("1", text, "1", "", text, "1", "")
    except LabelError:
        assert not allowed
    else:
        assert allowed
        assert parse_label(label.to_json()) == label


@given(st.binary(max_size=60), st.sampled_from([b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"ID3\x04"]))
def test_damaged_files_have_no_label(junk, start):
    assert read_label(start + junk) is None


def test_a_finished_file_is_labelled_in_place(tmp_path):
    path = tmp_path / "speech.wav"
    path.write_bytes(encoded("WAV", "PCM_16"))
    label = label_file(path, LabelsConfig(producer="001191"))
    assert read_label(path.read_bytes()) == label
    assert (label.Label, label.ContentProducer) == ("1", "001191")
    assert label.ContentPropagator == label.ContentProducer
    assert label.PropagateID == label.ProduceID


def test_two_files_have_two_numbers(tmp_path):
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for path in paths:
        path.write_bytes(encoded("WAV", "PCM_16"))
    assert len({label_file(path).ProduceID for path in paths}) == 2


def test_no_file_goes_unlabelled_without_the_log_knowing(tmp_path):
    path = tmp_path / "speech.wav"
    path.write_bytes(encoded("WAV", "PCM_16"))
    assert label_file(path, LabelsConfig(file_label=False)) is None
    assert read_label(path.read_bytes()) is None
    (line,) = AuditLog().lines()
    assert json.loads(line)["event"] == "file label left out"


@pytest.mark.parametrize("content", [b"", b"plain text", b"\0" * 100])
def test_other_files_cannot_be_labelled(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(LabelError, match="cannot be labelled; WAV, FLAC, Ogg and MP3 can"):
        label_file(path)
    assert path.read_bytes() == content


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(LabelError, match="cannot be labelled: No such file"):
        label_file(tmp_path / "missing.wav")


@pytest.mark.parametrize("producer", ["two words", "自己", 'a"b', "a\\b"])
def test_a_producer_with_forbidden_characters_is_a_wrong_setting(producer):
    with pytest.raises(ConfigError, match=r"labels.producer cannot be used"):
        LabelsConfig(producer=producer)


@pytest.mark.parametrize(
    ("place", "due"),
    [
        ("zh_CN.UTF-8", "rhythm"),
        ("en_CN.UTF-8", "rhythm"),
        ("zh_TW.UTF-8", "off"),
        ("en_US.UTF-8", "off"),
        ("C", "off"),
    ],
)
def test_the_cue_goes_by_the_locale_unless_chosen(monkeypatch, place, due):
    monkeypatch.setenv("LC_ALL", place)
    assert LabelsConfig().audible == due
    assert LabelsConfig(cue="speech").audible == "speech"
    assert LabelsConfig(cue="off").audible == "off"


def test_what_is_due_at_the_start():
    rhythm, speech, off = (LabelsConfig(cue=cue) for cue in ("rhythm", "speech", "off"))
    assert opening(RATE_HZ, rhythm).duration_seconds == pytest.approx(1.57)
    assert opening(RATE_HZ, speech) is opening(RATE_HZ, off) is None
    assert notice_in("zh", rhythm) == notice_in("zh", off) == []
    assert "人工智能" in notice_in("zh", speech)[0]
    assert "生成" in notice_in("zh", speech)[0]
    assert "AI" in notice_in("fr", speech)[0]
