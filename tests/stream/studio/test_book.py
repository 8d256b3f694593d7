import pytest

from selftalk.stream.errors import TextError
from selftalk.stream.studio import book as book_module
from selftalk.stream.studio.book import Chapter, read_book


def book_of(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_book(path)


def test_paragraphs_of_plain_text_end_at_empty_lines(tmp_path):
    book = book_of(tmp_path, "diary.txt", "One line\nand its end.\n\n\nAnother.\n")
    assert book.title == "diary"
    assert book.chapters == (Chapter("", ("One line and its end.", "Another.")),)


@pytest.mark.parametrize(
    "heading", ["Chapter 3", "CHAPTER ONE: The Fog", "Part II", "第三章 雾", "Prologue", "序"]
)
def test_lines_like_chapter_3_begin_chapters(tmp_path, heading):
    book = book_of(tmp_path, "a.txt", f"Before.\n\n{heading}\n\nAfter.\n")
    assert book.chapters == (Chapter("", ("Before.",)), Chapter(heading, ("After.",)))


def test_a_heading_needs_no_empty_line_after_it(tmp_path):
    book = book_of(tmp_path, "a.txt", "Chapter 1\nIt began.\n\nChapter 2\nIt ended.")
    assert [chapter.title for chapter in book.chapters] == ["Chapter 1", "Chapter 2"]


def test_a_sentence_about_a_chapter_is_no_heading(tmp_path):
    text = "Chapter by chapter the book grew.\n\nPart of me was glad."
    assert len(book_of(tmp_path, "a.txt", text).chapters) == 1


def test_chinese_lines_are_joined_without_a_space(tmp_path):
    book = book_of(tmp_path, "a.txt", "今天天气\n真好。")
    assert book.chapters[0].paragraphs == ("今天天气真好。",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_common_encodings_are_understood(tmp_path, encoding):
    book = book_of(tmp_path, "a.txt", "第一章\n\n今天天气真好。".encode(encoding))
    assert book.chapters == (Chapter("第一章", ("今天天气真好。",)),)


MARKDOWN = """---
title: ignored
---
# The *fog*

First paragraph
goes on. <!-- not
this -->

```python
not_read()
```

### A small heading

- an item
- another

## The sun ##
Last.
"""


def test_markdown_has_chapters_and_no_code(tmp_path):
    book = book_of(tmp_path, "a.md", MARKDOWN)
    assert [chapter.title for chapter in book.chapters] == ["The *fog*", "The sun"]
    first, last = book.chapters
    assert first.paragraphs == (
        "First paragraph\ngoes on. ",
        "A small heading",
        "- an item",
        "- another",
    )
    assert last.paragraphs == ("Last.",)


@pytest.mark.parametrize(
    ("front", "title", "author"),
    [
        ('---\ntitle: "My day"\nauthor: Ada\ntags: [a]\n---\n', "My day", "Ada"),
        ("---\nAuthor:\n---\n", "a", ""),
        ("", "a", ""),
    ],
)
def test_markdown_may_tell_its_title(tmp_path, front, title, author):
    book = book_of(tmp_path, "a.md", f"{front}# One\ntitle: a word.")
    assert (book.title, book.author) == (title, author)
    assert book.chapters[0].paragraphs == ("title: a word.",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.md", b"# Only a heading", "holds no text"),
        ("a.txt", b"\x00\x01\x02\xff\xfe\x81", "not a text file"),
        ("a.pdf", b"%PDF", "cannot be read aloud"),
        ("a.epub", b"PK nothing", "not a readable EPUB"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, name, content, message):
    with pytest.raises(TextError, match=message):
        book_of(tmp_path, name, content)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(TextError, match="does not exist"):
        read_book(tmp_path / "no.txt")


def test_a_huge_text_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(book_module, "LARGEST_BYTES", 10)
    with pytest.raises(TextError, match="larger than"):
        book_of(tmp_path, "a.txt", "more than ten bytes")
