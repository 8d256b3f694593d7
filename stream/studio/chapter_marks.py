"""Chapter marks: where each chapter begins, in the words of the formats.

    MP3: ID3v2.4 CHAP and CTOC    FLAC, Ogg: CHAPTERxxx comments    WAV, FLAC: a CUE sheet beside

Knows nothing about speech; the formats' containers are `trust/`'s.
"""

from collections.abc import Sequence

from selftalk.stream.studio.narration import ChapterStart
from selftalk.stream.trust import vorbis_comment

MOST_CHAPTERS = 255  # of a CTOC frame
CUE_FRAMES_PER_SECOND = 75
_UTF8 = b"\x03"
_NO_OFFSET = b"\xff\xff\xff\xff"


def id3_tag(
    title: str, author: str, chapters: Sequence[ChapterStart], total: int, rate_hz: int
) -> bytes:
    """A tag for the front of an MP3 file."""
    frames = [_text_frame(b"TIT2", title)]
    if author:
        frames.append(_text_frame(b"TPE1", author))
    marked = chapters[:MOST_CHAPTERS]
    ends = [chapter.start_samples for chapter in marked[1:]] + [total]
    names = [f"c{number}".encode() for number in range(len(marked))]
    top_level_ordered = bytes([3, len(marked)])
    frames.append(
        _frame(b"CTOC", b"toc\0" + top_level_ordered + b"".join(n + b"\0" for n in names))
    )
    for name, chapter, end in zip(names, marked, ends, strict=True):
        span = _ms(chapter.start_samples, rate_hz) + _ms(end, rate_hz) + 2 * _NO_OFFSET
        frames.append(_frame(b"CHAP", name + b"\0" + span + _text_frame(b"TIT2", chapter.title)))
    body = b"".join(frames)
    return b"ID3\x04\x00\x00" + _synchsafe(len(body)) + body


def with_vorbis_chapters(
    content: bytes, title: str, author: str, chapters: Sequence[ChapterStart], rate_hz: int
) -> bytes:
    """A FLAC or Ogg file with its title and chapters among its comments."""
    comments = {"TITLE": title} | ({"ARTIST": author} if author else {})
    for number, chapter in enumerate(chapters, start=1):
        comments[f"CHAPTER{number:03d}"] = _clock(chapter.start_samples / rate_hz)
        comments[f"CHAPTER{number:03d}NAME"] = chapter.title
    return vorbis_comment.with_comments(content, comments)


def cue_sheet(
    file: str, title: str, author: str, chapters: Sequence[ChapterStart], rate_hz: int
) -> str:
    """A CUE sheet that names a file and its chapters."""
    kind = {"mp3": "MP3", "aiff": "AIFF"}.get(file.rsplit(".", 1)[-1].lower(), "WAVE")
    lines = [f'TITLE "{_quoted(title)}"', f'FILE "{_quoted(file)}" {kind}']
    if author:
        lines.insert(0, f'PERFORMER "{_quoted(author)}"')
    for number, chapter in enumerate(chapters, start=1):
        frames = round(CUE_FRAMES_PER_SECOND * chapter.start_samples / rate_hz)
        seconds, frames = divmod(frames, CUE_FRAMES_PER_SECOND)
        minutes, seconds = divmod(seconds, 60)
        lines += [
            f"  TRACK {number:02d} AUDIO",
            f'    TITLE "{_quoted(chapter.title)}"',
            f"    INDEX 01 {minutes:02d}:{seconds:02d}:{frames:02d}",
        ]
    return "\n".join(lines) + "\n"


def _text_frame(name: bytes, text: str) -> bytes:
    return _frame(name, _UTF8 + text.encode() + b"\0")


def _frame(name: bytes, body: bytes) -> bytes:
    return name + _synchsafe(len(body)) + b"\0\0" + body


def _ms(samples: int, rate_hz: int) -> bytes:
    return round(1000 * samples / rate_hz).to_bytes(4)


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _clock(seconds: float) -> str:
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _quoted(text: str) -> str:
    return " ".join(text.replace('"', "'").split())
