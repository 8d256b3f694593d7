import io
import zipfile

import pytest
from fakes_checkpoints import EndRecords, Entry, archive, voice_entries, voice_file, voice_pickle
from fakes_hostile_zip import hostile_archives

from selftalk.export.checkpoint_zip import TAGS, quoted, read_archive
from selftalk.stream.errors import CheckpointError


def read(raw: bytes) -> dict[str, bytes]:
    return {name: bytes(view) for name, view in read_archive(memoryview(raw)).entries.items()}


def test_entries_are_named_below_their_folder():
    entries = read(voice_file())
    assert list(entries) == ["data.pkl", "byteorder", "data/0", "version"]
    assert entries["data.pkl"] == voice_pickle()
    assert entries["data/0"] == bytes(1464)


@pytest.mark.parametrize("tag", TAGS)
def test_every_version_tag_over_the_first_bytes_is_told_and_undone(tag):
    found = read_archive(memoryview(voice_file(tag=tag.encode())))
    assert found.tag == tag
    assert bytes(found.entries["data.pkl"]) == voice_pickle()


def test_the_general_reader_agrees_on_an_honest_file():
    with zipfile.ZipFile(io.BytesIO(voice_file())) as general:
        assert {n.partition("/")[2]: general.read(n) for n in general.namelist()} == read(
            voice_file()
        )


@pytest.mark.parametrize("folder", ["archive", "1795351800.8047972", "小明_e8_s408", "a b-c"])
def test_any_printable_folder_name_will_do(folder):
    raw = archive(
        [Entry(f"{folder}/data.pkl", b"x"), Entry(f"{folder}/.data/serialization_id", b"1")]
    )
    assert read(raw) == {"data.pkl": b"x", ".data/serialization_id": b"1"}


def test_an_empty_entry_may_lack_its_descriptor():
    entries = voice_entries()
    with_flag = [*entries, Entry("archive/data/1", b"", descriptor=b""), entries[-1]]
    without_flag = [*entries, Entry("archive/data/1", b"", flags=0x0800)]
    assert read(archive(with_flag[:-1]))["data/1"] == b""
    assert read(archive(without_flag))["data/1"] == b""


def test_a_stored_archive_of_another_writer_is_read():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as general:
        general.writestr("voice/data.pkl", b"pickle")
        general.writestr("voice/data/0", b"storage")
    assert read(buffer.getvalue()) == {"data.pkl": b"pickle", "data/0": b"storage"}


def test_the_64_bit_end_records_are_optional():
    assert read(archive(voice_entries(), end=EndRecords(has_64=False))) == read(voice_file())


@pytest.mark.parametrize(
    ("attack", "sentence"),
    [
        ("data.pkl twice, attack last", "twice"),
        ("data.pkl in capitals", "never has"),
        ("wrong checksum of a storage", "checksum"),
        ("deflated", "compressed"),
        ("bomb of 20 MiB", "compressed"),
        ("encrypted", "encrypted"),
        ("hidden bytes between entries", "overlap or hide"),
        ("hidden bytes after the last entry", "hides bytes"),
        ("two directory entries for one file", "overlap or hide"),
        ("another name in the local header", "disagrees"),
        ("name: climbs up", "unsafe name"),
        ("something after the end", "cut off, or something follows"),
        ("end records that disagree", "end records disagree"),
        ("tag b'07'", "unknown version tag '07'"),
        ("old layout of PyTorch", "before 1.6"),
        ("a trillion entries", "disagree"),
    ],
)
def test_the_refusal_says_what_is_wrong(attack, sentence, hostile):
    with pytest.raises(CheckpointError, match=sentence):
        read(hostile[attack])


@pytest.fixture(scope="module")
def hostile():
    return hostile_archives("/nonexistent/canary")


def test_text_of_a_file_is_escaped_and_shortened_before_it_is_shown():
    assert quoted("\x1b[2J小\n") == r"'\x1b[2J\u5c0f\n'"
    assert len(quoted("a" * 10_000)) == 80
