import shutil
import wave
from dataclasses import replace

import fakes_narrator as fakes
import numpy as np
import pytest
import soundfile

from selftalk.stream.errors import AudioFileError, TextError
from selftalk.stream.studio import audiobook
from selftalk.stream.studio.audiobook import FORMATS, check_format, write_audiobook
from selftalk.stream.studio.book import Book, Chapter
from selftalk.stream.studio.chapter_marks import cue_sheet
from selftalk.stream.studio.narration import (
    CHAPTER_PAUSE_SECONDS,
    ChapterStart,
    Narration,
)
from selftalk.stream.studio.paragraphs import (
    LONGEST_PIECE,
    ParagraphCache,
    key_of,
    pieces_of,
    speak,
    whole_sentences,
)
from selftalk.stream.synthesis.synthesizer import SynthesisOptions
from selftalk.stream.trust.labels import LabelsConfig, read_label

BOOK = Book(
    "Fog & sun",
    (
        Chapter("The fog", ("It was quiet. Very quiet.", "Nobody spoke.")),
        Chapter("The sun", ("It rose.",)),
    ),
    "Ada",
)
OPTIONS = SynthesisOptions(language="en")
SILENT = LabelsConfig(cue="off")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path / "home"))


def narration(hummer=None, book=BOOK, **more):
    hummer = hummer or fakes.Hummer()
    return Narration(book, hummer, fakes.VOICE, OPTIONS, ParagraphCache("me"), SILENT, **more)


def read(narrated):
    return np.concatenate(list(narrated.stream()))


def test_everything_is_read_once_and_in_order():
    hummer = fakes.Hummer()
    read(narration(hummer))
    assert hummer.spoken == [
        "The fog", "It was quiet.", "Very quiet.", "Nobody spoke.", "The sun", "It rose.",
    ]  # fmt: skip


def test_the_times_are_those_of_the_sound():
    narrated = narration()
    samples = read(narrated)
    assert len(samples) == narrated.position_samples
    for sentence in narrated.sentences:
        inside = samples[sentence.start_samples : sentence.end_samples]
        assert np.abs(inside[: fakes.WORD_SAMPLES]).max() > 0.2
        assert not samples[sentence.end_samples : sentence.end_samples + 1000].any()
        assert sentence.words[0].start_samples == sentence.start_samples
    first, second = narrated.chapters
    assert (first.title, first.start_samples) == ("The fog", 0)
    pause = samples[second.start_samples - round(CHAPTER_PAUSE_SECONDS * fakes.RATE) :]
    assert not pause[: round(CHAPTER_PAUSE_SECONDS * fakes.RATE)].any()


def test_what_was_read_before_a_crash_is_not_read_again():
    broken = fakes.Hummer(fail_after=3)
    with pytest.raises(RuntimeError):
        read(narration(broken))
    fresh = fakes.Hummer()
    resumed = read(narration(fresh))
    assert fresh.spoken == ["Nobody spoke.", "The sun", "It rose."]
    shutil.rmtree(ParagraphCache("me").folder)
    np.testing.assert_allclose(resumed, read(narration()), atol=1e-4)


def test_only_a_changed_paragraph_is_read_again():
    read(narration())
    changed = replace(BOOK, chapters=(BOOK.chapters[0], Chapter("The sun", ("It set.",))))
    hummer = fakes.Hummer()
    read(narration(hummer, changed))
    assert hummer.spoken == ["It set."]


def test_a_damaged_paragraph_is_read_again():
    narrated = narration()
    read(narrated)
    (ParagraphCache("me").folder / f"{narrated.keys[1]}.flac").write_bytes(b"broken")
    hummer = fakes.Hummer()
    read(narration(hummer))
    assert hummer.spoken == ["It was quiet.", "Very quiet."]


@pytest.mark.parametrize(
    "other",
    [
        lambda: ("B", fakes.Hummer(), fakes.VOICE, OPTIONS),
        lambda: ("A", fakes.Hummer(model="b"), fakes.VOICE, OPTIONS),
        lambda: ("A", fakes.Hummer(), replace(fakes.VOICE, mean_log_pitch=4.0), OPTIONS),
        lambda: ("A", fakes.Hummer(), replace(fakes.VOICE, speaker=-fakes.VOICE.speaker), OPTIONS),
        lambda: ("A", fakes.Hummer(), fakes.VOICE, replace(OPTIONS, speed=1.1)),
    ],
)
def test_a_key_changes_with_all_that_the_sound_depends_on(other):
    assert key_of("A", fakes.Hummer(), fakes.VOICE, OPTIONS) != key_of(*other())


def test_the_same_makes_the_same_key():
    assert key_of("A", fakes.Hummer(), fakes.VOICE, OPTIONS) == key_of(
        "A", fakes.Hummer(), fakes.VOICE, SynthesisOptions(language="en")
    )


def test_dropped_paragraphs_are_gone():
    narrated = narration()
    read(narrated)
    narrated.cache.drop(iter(narrated.keys))
    assert list(narrated.cache.folder.iterdir()) == []


def test_progress_runs_to_the_end():
    told = []
    read(narration(tell=told.append))
    assert told[-1].done_characters == told[-1].characters == BOOK.characters
    assert [one.chapter for one in told] == [1, 1, 1, 2, 2]
    told.clear()
    read(narration(tell=told.append))
    assert told[-1].fresh_characters == 0


def test_a_first_clause_is_not_torn_from_its_sentence():
    text = "When we arrived, the harbour was quiet. Nobody spoke to us."
    assert whole_sentences(text) == [
        "When we arrived, the harbour was quiet.",
        "Nobody spoke to us.",
    ]


def test_a_paragraph_without_words_is_silent():
    audio, told = speak("* * *", fakes.Hummer(), fakes.VOICE, OPTIONS)
    assert len(audio) == 0
    assert told.sentences == ()


def test_a_book_without_words_is_refused():
    with pytest.raises(TextError, match="nothing that can be spoken"):
        read(narration(book=Book("x", (Chapter("", ("* * *",)),))))


def test_the_cue_for_listeners_comes_first():
    hummer = fakes.Hummer()
    narrated = narration(hummer)
    narrated.labels = LabelsConfig(cue="speech")
    read(narrated)
    assert hummer.spoken[0] == "This voice is generated by AI."
    assert narrated.chapters[0].start_samples > 0


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_written_whole_and_labelled(suffix, tmp_path):
    path = tmp_path / f"book{suffix}"
    narrated = narration()
    files = write_audiobook(narrated, path)
    seconds = narrated.position_samples / fakes.RATE
    assert soundfile.info(path).duration == pytest.approx(seconds, abs=0.15)
    assert read_label(path.read_bytes()) is not None
    (tmp_path / "home" / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "home" / "plain").stat().st_mode
    sheet = [path.with_suffix(".cue")] if suffix in (".wav", ".flac") else []
    assert files == [path, *sheet]
    assert {entry.name for entry in tmp_path.iterdir()} == {one.name for one in files} | {"home"}


def test_an_mp3_holds_chapters(tmp_path):
    narrated = narration()
    write_audiobook(narrated, tmp_path / "book.mp3")
    content = (tmp_path / "book.mp3").read_bytes()
    assert content.count(b"CHAP") == 2
    assert content.index(b"CTOC") < content.index(b"The fog") < content.index(b"The sun")
    start_ms = round(1000 * narrated.chapters[1].start_samples / fakes.RATE)
    assert b"c1\0" + start_ms.to_bytes(4) in content


def test_a_flac_holds_chapters(tmp_path):
    write_audiobook(narration(), tmp_path / "book.flac")
    content = (tmp_path / "book.flac").read_bytes()
    assert b"CHAPTER001=00:00:00.000" in content
    assert b"CHAPTER002NAME=The sun" in content


@pytest.mark.parametrize("suffix", [".mp3", ".m4b"])
def test_other_readers_find_the_chapters(suffix, tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / f"book{suffix}"
    narrated = narration()
    write_audiobook(narrated, path)
    with av.open(str(path)) as container:
        chapters = container.chapters()
        assert [one["metadata"]["title"] for one in chapters] == ["The fog", "The sun"]
        starts = [float(one["start"] * one["time_base"]) for one in chapters]
        expected = [one.start_samples / fakes.RATE for one in narrated.chapters]
        assert starts == pytest.approx(expected, abs=0.01)
        assert container.metadata["title"] == "Fog & sun"
        seconds = narrated.position_samples / fakes.RATE
        assert container.duration / 1e6 == pytest.approx(seconds, abs=0.2)
        assert "AIGC" in container.metadata


def test_a_book_too_long_for_wav_says_so_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(audiobook, "LONGEST_WAV_SAMPLES", fakes.RATE)
    narrated = narration()
    with pytest.raises(AudioFileError, match="this book is longer"):
        write_audiobook(narrated, tmp_path / "book.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    again = narration(hummer := fakes.Hummer())
    write_audiobook(again, tmp_path / "book.flac")
    assert not set(hummer.spoken) & set(narrated.synthesizer.spoken)


@pytest.mark.parametrize(
    "paragraph",
    [
        "It rained, and nobody spoke. " * 300,
        "今天下雨，没有人说话。" * 500,
        "word " * 2_000,
        "x" * 5_000,
    ],
)
def test_a_paragraph_of_many_pages_is_cut_behind_sentences(paragraph):
    pieces = pieces_of(paragraph)
    assert "".join(pieces) == paragraph
    assert 1 < len(pieces) <= 1 + 2 * len(paragraph) // LONGEST_PIECE
    assert all(0 < len(piece) <= LONGEST_PIECE for piece in pieces)
    if "x" not in paragraph:
        assert all(piece.endswith((". ", "。", "d ")) for piece in pieces)


def test_a_paragraph_of_many_pages_is_read_whole_and_kept_in_pieces():
    sentence = "It rained, and nobody spoke. "
    book = Book("Rain", (Chapter("", (sentence * 200,)),))
    narrated, shares = narration(book=book), []
    narrated.tell = lambda progress: shares.append(progress.done_characters)
    read(narrated)
    assert [one.text for one in narrated.sentences] == [sentence.strip()] * 200
    assert len(narrated.keys) > 2
    assert shares[-1] == book.characters


def test_a_failed_reading_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError):
        write_audiobook(narration(fakes.Hummer(fail_after=2)), tmp_path / "book.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_cue_sheet_tells_minutes_seconds_and_frames():
    starts = [ChapterStart('The "fog"', 0), ChapterStart("The sun", 24_000 * 61 + 12_000)]
    sheet = cue_sheet("a.wav", "T", "Ada", starts, 24_000)
    assert sheet.splitlines() == [
        'PERFORMER "Ada"',
        'TITLE "T"',
        'FILE "a.wav" WAVE',
        "  TRACK 01 AUDIO",
        "    TITLE \"The 'fog'\"",
        "    INDEX 01 00:00:00",
        "  TRACK 02 AUDIO",
        '    TITLE "The sun"',
        "    INDEX 01 01:01:37",
    ]


@pytest.mark.parametrize(
    ("name", "message"), [("a.doc", "no format"), ("no/a.wav", "folder does not exist")]
)
def test_a_format_is_checked_before_the_work(name, message, tmp_path):
    with pytest.raises(AudioFileError, match=message):
        check_format(tmp_path / name)


def test_a_wav_opens_elsewhere(tmp_path):
    write_audiobook(narration(), tmp_path / "book.wav")
    with wave.open(str(tmp_path / "book.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (fakes.RATE, 1, 2)
