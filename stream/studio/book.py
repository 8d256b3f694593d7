"""Book: a text of any length as chapters of paragraphs; plain text and Markdown are read here.

EPUB is read in `epub.py`. Knows nothing about voices.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from selftalk.stream.errors import TextError

LARGEST_BYTES = 20_000_000
LONGEST_HEADING = 80

_NUMBER = r"(?:\d+|[ivxlc]+|one|two|three|four|five|six|seven|eight|nine|ten)"
_CHAPTER = re.compile(
    rf"(?:(?:chapter|part|book)\s+{_NUMBER}\b.*|(?:prologue|epilogue|preface|introduction)\b.{{0,40}}"
    r"|第[\d〇零一二三四五六七八九十百千]+[章回节節部卷].*|序章?|楔子|尾声|后记)",
    re.IGNORECASE,
)
_ATX = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+\S")
_FENCE = re.compile(r"\s*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_FACT = re.compile(r"^(\w+):[ \t]*(.*)$", re.MULTILINE)
CHAPTER_LEVEL = 2
"""Headings of Markdown down to this level begin a chapter."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading, which may be empty, and what stands under it."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """What is to be read aloud."""

    title: str
    chapters: tuple[Chapter, ...]
    author: str = ""

    @property
    def characters(self) -> int:
        """How long it is."""
        return sum(
            len(chapter.title) + sum(map(len, chapter.paragraphs)) for chapter in self.chapters
        )


def read_book(path: Path) -> Book:
    """Read a text, Markdown or EPUB file.

    Raises:
        TextError: it is missing, of another kind, damaged, too big, or empty.
    """
    if not path.is_file():
        raise TextError(f"text file '{path}' does not exist")
    suffix = path.suffix.lower()
    if suffix == ".epub":
        from selftalk.stream.studio.epub import read_epub

        book = read_epub(path)
    elif suffix in (".md", ".markdown"):
        text = _text_of(path)
        facts = _facts_of(text)
        chapters = tuple(chapters_of(_markdown(text)))
        book = Book(facts.get("title", path.stem), chapters, facts.get("author", ""))
    elif suffix in (".txt", ""):
        book = Book(path.stem, tuple(chapters_of(_plain(_text_of(path)))))
    else:
        raise TextError(f"'{path}' cannot be read aloud; .txt, .md and .epub can")
    if not any(chapter.paragraphs for chapter in book.chapters):
        raise TextError(f"'{path}' holds no text")
    return book


def chapters_of(blocks: Iterable[tuple[bool, str]]) -> Iterator[Chapter]:
    """Group blocks, each a heading of a chapter or a paragraph, into chapters."""
    title, paragraphs = "", list[str]()
    for is_heading, text in blocks:
        if is_heading:
            if title or paragraphs:
                yield Chapter(title, tuple(paragraphs))
            title, paragraphs = text, []
        else:
            paragraphs.append(text)
    if title or paragraphs:
        yield Chapter(title, tuple(paragraphs))


def _text_of(path: Path) -> str:
    if path.stat().st_size > LARGEST_BYTES:
        raise TextError(f"'{path}' is larger than {LARGEST_BYTES // 1_000_000} MB")
    content = path.read_bytes()
    is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "gb18030", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise TextError(f"'{path}' is not a text file")


def _facts_of(text: str) -> dict[str, str]:
    """What stands as `name: value` at the front of Markdown, if that is there."""
    front = _FRONT_MATTER.match(text)
    return {
        name.lower(): value.strip().strip("\"'")
        for name, value in _FACT.findall(front.group() if front else "")
        if value.strip().strip("\"'")
    }


def _plain(text: str) -> Iterator[tuple[bool, str]]:
    """Paragraphs end at empty lines; a line of its own like "Chapter 3" is a heading."""
    for block in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        while lines and len(lines[0]) <= LONGEST_HEADING and _CHAPTER.fullmatch(lines[0]):
            yield True, lines.pop(0)
        if lines:
            yield False, _joined(lines)


def _markdown(text: str) -> Iterator[tuple[bool, str]]:
    """Headings, paragraphs and items, with their marks, which the sentence splitter takes out."""
    lines: list[str] = []
    fenced = False
    for line in [*_COMMENT.sub("", _FRONT_MATTER.sub("", text)).splitlines(), ""]:
        if _FENCE.match(line):
            fenced = not fenced
            line = ""
        elif fenced:
            continue
        heading = _ATX.fullmatch(line)
        if lines and (heading or not line.strip() or _ITEM.match(line)):
            yield False, "\n".join(lines)
            lines = []
        if heading:
            yield len(heading[1]) <= CHAPTER_LEVEL, heading[2]
        elif line.strip():
            lines.append(line)


def _joined(lines: list[str]) -> str:
    """Lines that were broken to fit a page; between Chinese characters there is no space."""
    text = lines[0]
    for line in lines[1:]:
        apart = text[-1].isascii() or line[0].isascii()
        text += (" " if apart else "") + line
    return text
