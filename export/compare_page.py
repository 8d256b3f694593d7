"""A page to listen and compare: the person, the voice as it was enrolled, the cloned voice.

One HTML file with the sounds inside, so that it can be moved and opened anywhere. Knows nothing
about how the sounds were made.
"""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

import soundfile

from selftalk.stream.sound.audio import AudioChunk, to_int16

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top }
audio { width: 13rem; display: block }
.wide { overflow-x: auto }
.wide th[scope=row] { font-weight: normal; min-width: 10rem }
small { display: block; max-width: 13rem; color: #555 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 }
  th, td { border-color: #444 } small { color: #aaa } }
"""


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to listen to."""

    audio: AudioChunk
    says: str = ""
    """Shown below it, where it says something else than its row."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence, and how it sounds in each column; None leaves a place empty."""

    text: str
    sounds: Sequence[Sound | None]


def compare_page(
    title: str,
    advice: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    figures: Sequence[tuple[str, str, str]],
) -> bytes:
    """The page, UTF-8.

    Args:
        title: of the page.
        advice: what the figures mean and how to listen, a paragraph.
        columns: what each column of sounds is.
        rows: the sentences.
        figures: what was measured: name, before, after.
    """
    escaped = html.escape(title)
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escaped}</title>"
    head += '<meta name=viewport content="width=device-width">'
    measured = "".join(
        f"<tr><th scope=row>{html.escape(name)}<td>{html.escape(before)}<td>{html.escape(after)}"
        for name, before, after in figures
    )
    named = "".join(f"<th scope=col>{html.escape(column)}" for column in columns)
    body = "".join(_row(row, columns) for row in rows)
    return (
        f"{head}<style>{STYLE}</style><h1>{escaped}</h1><p>{html.escape(advice)}"
        f"<table><tr><td><th scope=col>before<th scope=col>after{measured}</table>"
        f"<div class=wide><table><tr><th scope=col>text{named}{body}</table></div>"
    ).encode()


def _row(row: Row, columns: Sequence[str]) -> str:
    cells = zip(row.sounds, columns, strict=True)
    return f"<tr><th scope=row>{html.escape(row.text)}" + "".join(
        _cell(sound, f"{column}: {row.text}") for sound, column in cells
    )


def _cell(sound: Sound | None, label: str) -> str:
    if sound is None:
        return "<td>"
    buffer = io.BytesIO()
    samples = to_int16(sound.audio.samples)
    soundfile.write(buffer, samples, sound.audio.sample_rate_hz, format="FLAC", subtype="PCM_16")
    content = base64.b64encode(buffer.getvalue()).decode()
    says = f"<small>{html.escape(sound.says)}</small>" if sound.says else ""
    return (
        f'<td><audio controls preload=none aria-label="{html.escape(label)}"'
        f' src="data:audio/flac;base64,{content}"></audio>{says}'
    )
