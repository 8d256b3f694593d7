"""EPUB: a zip of XHTML read with suspicion; chapters in the order of its spine.

Nothing is unpacked to disk, sizes are bounded before anything is inflated, entities of XML are
refused. Knows nothing about layout and pictures.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.parsers import expat

from selftalk.stream.errors import TextError
from selftalk.stream.studio.book import Book, chapters_of

MOST_FILES = 10_000
LARGEST_FILE_BYTES = 10_000_000
LARGEST_TEXT_BYTES = 60_000_000
"""Of all text together, uncompressed."""

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Fonts may be scrambled; the text is readable all the same."""

BLOCKS = frozenset(
    "p div li dt dd blockquote section article td th tr table ul ol h1 h2 h3 h4 h5 h6 br hr"
    " figcaption body header footer aside".split()
)
HEADINGS = frozenset(("h1", "h2"))
SILENT = frozenset("head script style nav svg math template rt rp sup".split())
"""Elements that are not read aloud; raised numbers are notes."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ROOT = re.compile(r"<[A-Za-z]")
"""Where declarations end and a document begins."""

Attributes = dict[str, str]


def read_epub(path: Path) -> Book:
    """Read a book.

    Raises:
        TextError: it is no EPUB, damaged, protected against reading, or suspiciously big.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Epub(path, archive).book()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        raise TextError(f"'{path}' is not a readable EPUB") from error


class _Epub:
    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        self._left_bytes = LARGEST_TEXT_BYTES
        if len(archive.infolist()) > MOST_FILES:
            raise TextError(f"'{path}' holds more than {MOST_FILES} files")

    def book(self) -> Book:
        """The whole book."""
        self._refuse_protection()
        package = self._rootfile()
        title, author, documents = self._package(package)
        blocks = (block for document in documents for block in self._blocks(document))
        return Book(title or self._path.stem, tuple(chapters_of(blocks)), author)

    def _refuse_protection(self) -> None:
        if ENCRYPTION not in self._archive.namelist():
            return
        methods = [
            attributes.get("Algorithm", "")
            for tag, attributes, _ in self._xml(ENCRYPTION)
            if tag == "EncryptionMethod"
        ]
        if any(method not in FONT_ALGORITHMS for method in methods):
            raise TextError(f"'{self._path}' is protected against copying and cannot be read")

    def _rootfile(self) -> str:
        for tag, attributes, _ in self._xml(CONTAINER):
            if tag == "rootfile" and attributes.get("full-path"):
                return attributes["full-path"]
        raise TextError(f"'{self._path}' is not a readable EPUB: it names no package")

    def _package(self, name: str) -> tuple[str, str, list[str]]:
        """Title, author, and the names of the documents in reading order."""
        title = author = ""
        files: dict[str, str] = {}
        spine: list[str] = []
        folder = posixpath.dirname(name)
        for tag, attributes, text in self._xml(name):
            if tag == "title":
                title = title or text
            elif tag == "creator":
                author = author or text
            elif tag == "item" and "nav" not in attributes.get("properties", "").split():
                href = unquote(attributes.get("href", ""))
                files[attributes.get("id", "")] = posixpath.normpath(posixpath.join(folder, href))
            elif tag == "itemref" and attributes.get("linear") != "no":
                spine.append(attributes.get("idref", ""))
        return title, author, [files[place] for place in spine if place in files]

    def _blocks(self, name: str) -> Iterator[tuple[bool, str]]:
        content = self._read(name)
        text = content.decode("utf-16" if content[:2] in _UTF16 else "utf-8-sig", "replace")
        if "<!ENTITY" in _ROOT.split(text, maxsplit=1)[0]:
            raise TextError(f"'{self._path}' is refused: '{name}' declares entities")
        reader = _Reader()
        reader.feed(text)
        reader.close()
        yield from reader.finished()

    def _xml(self, name: str) -> list[tuple[str, Attributes, str]]:
        try:
            return elements_of(self._read(name))
        except expat.ExpatError as error:
            raise TextError(f"'{self._path}' is damaged: '{name}' is not XML") from error

    def _read(self, name: str) -> bytes:
        try:
            entry = self._archive.getinfo(name)
        except KeyError as error:
            raise TextError(f"'{self._path}' is damaged: it lacks '{name}'") from error
        limit = min(LARGEST_FILE_BYTES, self._left_bytes)
        with self._archive.open(entry) as file:
            content = file.read(limit + 1)  # what the zip says of its size may be a lie
        if len(content) > limit:
            raise TextError(f"'{self._path}' is too big: '{name}' goes beyond what a book holds")
        self._left_bytes -= len(content)
        return content


def elements_of(content: bytes) -> list[tuple[str, Attributes, str]]:
    """All elements of an XML document: name without its namespace, attributes, own text.

    Raises:
        TextError: it declares entities, which no book needs and some attacks do.
        expat.ExpatError: it is not XML.
    """
    parser = expat.ParserCreate()
    found: list[tuple[str, Attributes, list[str]]] = []
    open_elements: list[int] = []

    def start(name: str, attributes: Attributes) -> None:
        open_elements.append(len(found))
        found.append((name.rpartition(":")[2], attributes, []))

    def characters(text: str) -> None:
        found[open_elements[-1]][2].append(text)

    def refuse(*_declared: object) -> int:
        raise TextError("an XML file inside declares entities and is refused")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: open_elements.pop()
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.Parse(content, True)
    return [(name, attributes, " ".join("".join(text).split())) for name, attributes, text in found]


class _Reader(HTMLParser):
    """Headings and paragraphs of one document; knows the named entities of HTML only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[tuple[bool, str]] = []
        self._text: list[str] = []
        self._is_heading = False
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT or ("epub:type", "noteref") in attrs:
            self._silent.append(tag)
        elif tag in BLOCKS:
            self._end_block()
            self._is_heading = tag in HEADINGS

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in BLOCKS:
            self._end_block()

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag == self._silent[-1]:
                self._silent.pop()
        elif tag in BLOCKS:
            self._end_block()
            self._is_heading = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text.append(data)

    def finished(self) -> list[tuple[bool, str]]:
        """The blocks; a heading of two lines is one heading."""
        self._end_block()
        merged: list[tuple[bool, str]] = []
        for is_heading, text in self._blocks:
            if is_heading and merged and merged[-1][0]:
                merged[-1] = (True, f"{merged[-1][1]}. {text}")
            else:
                merged.append((is_heading, text))
        return merged

    def _end_block(self) -> None:
        text = " ".join("".join(self._text).split())
        self._text = []
        if text:
            self._blocks.append((self._is_heading, text))
