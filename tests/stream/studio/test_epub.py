import zipfile

import pytest

from selftalk.stream.errors import TextError
from selftalk.stream.studio import epub
from selftalk.stream.studio.book import Chapter
from selftalk.stream.studio.epub import read_epub

CONTAINER = """<?xml version="1.0"?>
<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
  <rootfiles><rootfile full-path="OPS/book.opf" media-type="x"/></rootfiles></container>"""
PACKAGE = """<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <metadata><dc:title>The Fog &amp; the Sun</dc:title><dc:creator>Ada L.</dc:creator></metadata>
  <manifest>
    <item id="two" href="text/second%20part.xhtml"/><item id="one" href="text/first.xhtml"/>
    <item id="toc" href="nav.xhtml" properties="nav"/><item id="ad" href="ad.xhtml"/>
  </manifest>
  <spine><itemref idref="toc"/><itemref idref="one"/><itemref idref="two"/>
    <itemref idref="ad" linear="no"/></spine></package>"""
FIRST = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>not read</title><style>p {}</style></head>
<body><h1>One</h1><h2>The Fog</h2><p>It was&nbsp;quiet<sup>1</sup> &mdash; <i>very</i> quiet.</p>
<ul><li>bread</li><li>salt</li></ul>line<br/>break<script>alert(1)</script></body></html>"""
SECOND = "<html><body><p>Still the fog.</p><h2>The Sun</h2><p>Warm.</p></body></html>"


def write(tmp_path, **changed):
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": PACKAGE,
        "OPS/nav.xhtml": "<p>Contents</p>",
        "OPS/ad.xhtml": "<p>Buy!</p>",
        "OPS/text/first.xhtml": FIRST,
        "OPS/text/second part.xhtml": SECOND,
    } | {name.replace("__", "/"): content for name, content in changed.items()}
    path = tmp_path / "book.epub"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def test_a_book_is_read_in_the_order_of_its_spine(tmp_path):
    book = read_epub(write(tmp_path))
    assert (book.title, book.author) == ("The Fog & the Sun", "Ada L.")
    assert book.chapters == (
        Chapter(
            "One. The Fog",
            ("It was quiet — very quiet.", "bread", "salt", "line", "break", "Still the fog."),
        ),
        Chapter("The Sun", ("Warm.",)),
    )


BILLION_LAUGHS = """<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]><x>&b;</x>"""
OUTSIDE = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>"""


@pytest.mark.parametrize("content", [BILLION_LAUGHS, OUTSIDE])
@pytest.mark.parametrize("name", ["META-INF/container.xml", "OPS/book.opf", "OPS/text/first.xhtml"])
def test_entities_are_refused(tmp_path, name, content):
    with pytest.raises(TextError, match="declares entities"):
        read_epub(write(tmp_path, **{name: content}))


def test_a_chapter_may_tell_of_entities(tmp_path):
    chapter = "<html><body><p>One writes &lt;!ENTITY a 'b'&gt;.</p></body></html>"
    book = read_epub(write(tmp_path, **{"OPS/text/first.xhtml": chapter}))
    assert "One writes <!ENTITY a 'b'>." in book.chapters[0].paragraphs


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_chapter_may_begin_with_its_byte_order(tmp_path, encoding):
    chapter = f"<?xml version='1.0'?>{FIRST}".encode(encoding)
    plain = read_epub(write(tmp_path))
    assert read_epub(write(tmp_path, **{"OPS/text/first.xhtml": chapter})) == plain


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"META-INF/container.xml": None}, "lacks 'META-INF/container.xml'"),
        ({"META-INF/container.xml": "<container/>"}, "names no package"),
        ({"OPS/book.opf": "<package>"}, "not XML"),
        ({"OPS/text/first.xhtml": None}, "lacks 'OPS/text/first.xhtml'"),
        (
            {"META-INF/encryption.xml": "<e><EncryptionMethod Algorithm='aes'/></e>"},
            "protected against copying",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path, changed, message):
    with pytest.raises(TextError, match=message):
        read_epub(write(tmp_path, **changed))


def test_scrambled_fonts_do_not_matter(tmp_path):
    method = epub.FONT_ALGORITHMS[0]
    encryption = f"<e><EncryptionMethod Algorithm='{method}'/></e>"
    assert read_epub(write(tmp_path, **{"META-INF/encryption.xml": encryption})).chapters


def test_a_zip_bomb_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(epub, "LARGEST_FILE_BYTES", 100_000)
    bomb = "<p>" + "a" * 10_000_000
    with pytest.raises(TextError, match="too big"):
        read_epub(write(tmp_path, **{"OPS/text/first.xhtml": bomb}))


def test_many_big_chapters_are_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(epub, "LARGEST_TEXT_BYTES", 3_000)
    with pytest.raises(TextError, match="too big"):
        read_epub(write(tmp_path, **{"OPS/text/first.xhtml": "<p>" + "a" * 2500}))


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(epub, "MOST_FILES", 3)
    with pytest.raises(TextError, match="more than 3 files"):
        read_epub(write(tmp_path))


@pytest.mark.parametrize("cut", range(0, 1200, 97))
def test_a_truncated_book_is_one_sentence(tmp_path, cut):
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(TextError, match="not a readable EPUB"):
        read_epub(path)
