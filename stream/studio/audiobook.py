"""Audiobook: a narration written to a file of the wanted format, with chapters and a label.

WAV, FLAC, MP3 and OGG come from libsndfile, M4B from PyAV if it is installed. The file appears
when it is whole. Knows nothing about how the narration is made.
"""

import importlib.util
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from selftalk.stream.errors import AudioFileError
from selftalk.stream.sound.audio import Float32Array, to_int16, write_atomically
from selftalk.stream.studio.chapter_marks import cue_sheet, id3_tag, with_vorbis_chapters
from selftalk.stream.studio.narration import Narration
from selftalk.stream.trust.aigc import new_label
from selftalk.stream.trust.labels import NAME, label_file

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
M4B = (".m4b", ".m4a")
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
MP4_BITRATE = 64_000
LONGEST_WAV_SAMPLES = (2**32 - 2**16) // 2
"""Its sizes are numbers of 32 bits; a little room is left for the label."""


def check_format(path: Path) -> None:
    """Say at once that a format cannot be written, not after hours of reading.

    Raises:
        AudioFileError: the format is unknown, or needs a package that is missing.
    """
    suffix = path.suffix.lower()
    if suffix in M4B:
        if importlib.util.find_spec("av") is None:
            raise AudioFileError(
                f"'{path.name}' needs the package av: pip install 'selftalk[studio]';"
                " .mp3 holds chapters without it"
            )
    elif suffix not in FORMATS:
        known = ", ".join([*FORMATS, ".m4b"])
        raise AudioFileError(f"'{path.name}' is of no format that can be written; choose {known}")
    if not path.absolute().parent.is_dir():
        raise AudioFileError(f"cannot write '{path}': its folder does not exist")


def write_audiobook(narration: Narration, path: Path) -> list[Path]:
    """Read the whole book into a file; return the files that were written.

    Raises:
        AudioFileError: the file cannot be written.
        TextError: there is nothing in the book that can be spoken.
    """
    suffix = path.suffix.lower()
    temporary = path.with_name(f".{path.name}.part")
    try:
        if suffix in M4B:
            _write_m4b(narration, temporary)
        else:
            _write_sound(narration, temporary, *FORMATS[suffix])
            _add_chapters(narration, temporary, suffix)
            label_file(temporary, narration.labels)
        temporary.replace(path)
    except (OSError, soundfile.LibsndfileError) as error:
        raise AudioFileError(f"cannot write '{path}': {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return [path, *_write_cue(narration, path)]


def _write_sound(narration: Narration, path: Path, container: str, codec: str) -> None:
    rate_hz = narration.synthesizer.sample_rate_hz
    if codec == "OPUS" and rate_hz not in OPUS_RATES_HZ:
        raise AudioFileError(f"Opus has no rate of {rate_hz} Hz; choose .ogg or .mp3")
    with soundfile.SoundFile(path, "w", rate_hz, 1, format=container, subtype=codec) as file:
        for samples in narration.stream():
            if container == "WAV" and narration.position_samples > LONGEST_WAV_SAMPLES:
                hours = LONGEST_WAV_SAMPLES / rate_hz / 3600
                raise AudioFileError(
                    f"a WAV file holds {hours:.1f} hours and this book is longer; choose .mp3 or"
                    " .flac with the same command, and what was read is not read again"
                )
            file.write(to_int16(samples))


def _add_chapters(narration: Narration, path: Path, suffix: str) -> None:
    book, chapters = narration.book, narration.chapters
    rate_hz = narration.synthesizer.sample_rate_hz
    if suffix == ".mp3":
        tag = id3_tag(book.title, book.author, chapters, narration.position_samples, rate_hz)
        write_atomically(path, tag + path.read_bytes())
    elif suffix != ".wav":
        content = path.read_bytes()
        marked = with_vorbis_chapters(content, book.title, book.author, chapters, rate_hz)
        write_atomically(path, marked)


def _write_cue(narration: Narration, path: Path) -> list[Path]:
    """For players that know chapters only from a sheet."""
    if path.suffix.lower() not in (".wav", ".flac") or len(narration.chapters) < 2:
        return []
    sheet = path.with_suffix(".cue")
    rate_hz = narration.synthesizer.sample_rate_hz
    text = cue_sheet(
        path.name, narration.book.title, narration.book.author, narration.chapters, rate_hz
    )
    sheet.write_text(text, "utf-8")
    return [sheet]


def _write_m4b(narration: Narration, path: Path) -> None:
    """Chapters stand before the sound in MP4, so the book is read first and written then."""
    import av

    for _ in narration.stream():
        pass  # now every paragraph is in the cache
    rate_hz, total = narration.synthesizer.sample_rate_hz, narration.position_samples
    again = Narration(
        narration.book, narration.synthesizer, narration.voice, narration.options,
        narration.cache, narration.labels,
    )  # fmt: skip
    tags = {"movflags": "use_metadata_tags"}  # else only the tags that Apple knows are kept
    with av.open(str(path), "w", format="mp4", options=tags) as container:
        container.metadata.update(_mp4_tags(narration))
        container.set_chapters(_mp4_chapters(narration, total, rate_hz))
        stream: Any = container.add_stream("aac", rate=rate_hz, layout="mono")
        stream.bit_rate = MP4_BITRATE
        position = 0
        for block in _blocks(again.stream(), 1024):
            frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, position
            frame.time_base = Fraction(1, rate_hz)
            position += len(block)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _mp4_tags(narration: Narration) -> dict[str, str]:
    tags = {"title": narration.book.title, "artist": narration.book.author, "genre": "Audiobook"}
    if narration.labels.file_label:
        tags[NAME] = new_label(narration.labels.producer).to_json()
    return {name: text for name, text in tags.items() if text}


def _mp4_chapters(narration: Narration, total: int, rate_hz: int) -> list[Any]:
    starts = [chapter.start_samples for chapter in narration.chapters]
    return [
        {
            "id": number,
            "start": start,
            "end": end,
            "time_base": Fraction(1, rate_hz),
            "metadata": {"title": chapter.title},
        }
        for number, (chapter, start, end) in enumerate(
            zip(narration.chapters, starts, [*starts[1:], total], strict=True)
        )
    ]


def _blocks(pieces: Iterator[Float32Array], size: int) -> Iterator[Float32Array]:
    """Re-cut a stream into blocks, the last one shorter."""
    rest = np.zeros(0, np.float32)
    for piece in pieces:
        rest = np.concatenate([rest, piece])
        whole = len(rest) // size * size
        yield from rest[:whole].reshape(-1, size)
        rest = rest[whole:]
    if len(rest):
        yield rest
