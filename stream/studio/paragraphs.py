"""Spoken paragraphs, kept on disk by what they are made of, so that reading can be resumed.

    cache/read/VOICE/KEY.flac    the sound    KEY.json    its sentences and words

A key is the hash of everything that the sound depends on: text, voice, model, options. What is
there is whole: a killed run loses the paragraph under way and nothing else. Knows nothing about
books and formats.
"""

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from selftalk.stream.dialogue.sentences import LATIN_ENDS, QUOTES, WIDE_ENDS, SentenceSplitter
from selftalk.stream.errors import SynthesisError
from selftalk.stream.home import cache_folder
from selftalk.stream.sound.audio import (
    AudioChunk,
    Float32Array,
    concat,
    from_int16,
    to_int16,
    write_atomically,
)
from selftalk.stream.synthesis.synthesizer import SynthesisOptions, Synthesizer
from selftalk.stream.synthesis.voices import Voice

FORMAT = 1
SENTENCE_PAUSE_SECONDS = 0.2
"""Besides the silence that the voice itself leaves."""
LONGEST_PIECE = 2_000
"""Characters: two minutes of speech, which is what a killed run may lose."""
_END = re.compile(r"[.!?…][\"'”’»)]*\s+|[。！？][”’」』）]*|\s*\n\s*")
LONGEST_OPENING = 160
"""Characters up to which a first clause is joined with what follows."""


class SpokenWord(msgspec.Struct, frozen=True):
    """When a word is heard, from the start of the paragraph."""

    text: str
    start_samples: int
    end_samples: int


class SpokenSentence(msgspec.Struct, frozen=True):
    """A sentence, when it is heard, and its words."""

    text: str
    start_samples: int
    end_samples: int
    words: tuple[SpokenWord, ...]


class Paragraph(msgspec.Struct, frozen=True):
    """A spoken paragraph without its sound."""

    format: int
    samples: int
    sentences: tuple[SpokenSentence, ...]


class ParagraphCache:
    """The paragraphs that one voice has read."""

    def __init__(self, voice: str, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "read" / voice

    def get(self, key: str) -> tuple[AudioChunk, Paragraph] | None:
        """A paragraph that was read before; None if it was not, or its files are damaged."""
        try:
            told = msgspec.json.decode((self.folder / f"{key}.json").read_bytes(), type=Paragraph)
            samples, rate_hz = soundfile.read(self.folder / f"{key}.flac", dtype="int16")
        except (OSError, msgspec.MsgspecError, soundfile.LibsndfileError):
            return None
        if told.format != FORMAT or told.samples != len(samples):
            return None
        return AudioChunk(from_int16(samples), int(rate_hz)), told

    def put(self, key: str, audio: AudioChunk, told: Paragraph) -> None:
        """Keep a paragraph; its JSON comes last and says that it is whole.

        Raises:
            SynthesisError: the disk is full or cannot be written.
        """
        buffer = io.BytesIO()
        soundfile.write(
            buffer, to_int16(audio.samples), audio.sample_rate_hz, format="FLAC", subtype="PCM_16"
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.folder / f"{key}.flac", buffer.getvalue())
            write_atomically(self.folder / f"{key}.json", msgspec.json.encode(told))
        except OSError as error:
            raise SynthesisError(f"cannot write '{self.folder}': {error.strerror}") from error

    def drop(self, keys: Iterator[str]) -> None:
        """Delete paragraphs that are no longer needed."""
        for key in keys:
            for suffix in ("json", "flac"):
                (self.folder / f"{key}.{suffix}").unlink(missing_ok=True)


def key_of(text: str, synthesizer: Synthesizer, voice: Voice, options: SynthesisOptions) -> str:
    """The hash of everything that a spoken paragraph depends on."""
    manifest = synthesizer.bundle.manifest
    files = [path.read_bytes() for _, path in sorted(voice.patches.items())]
    reference = getattr(voice, "reference", None)
    arrays = [voice.speaker, *(reference.arrays().values() if reference else ())]
    if voice.timbre is not None:
        arrays.append(voice.timbre)
    parts: list[bytes] = [
        str((FORMAT, SENTENCE_PAUSE_SECONDS, voice.mean_log_pitch, voice.tempo, options)).encode(),
        text.encode(),
        *(graph.sha256.encode() for _, graph in sorted(manifest.graphs.items())),
        *(np.ascontiguousarray(array).tobytes() for array in arrays),
        *files,
    ]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()[:40]


def speak(
    text: str, synthesizer: Synthesizer, voice: Voice, options: SynthesisOptions
) -> tuple[AudioChunk, Paragraph]:
    """Speak a paragraph sentence by sentence; of no length if it holds nothing to say."""
    rate_hz = synthesizer.sample_rate_hz
    pause = AudioChunk(np.zeros(round(SENTENCE_PAUSE_SECONDS * rate_hz), np.float32), rate_hz)
    pieces: list[AudioChunk] = []
    sentences: list[SpokenSentence] = []
    position = 0
    for sentence in whole_sentences(text):
        start, words = position, []
        for chunk in synthesizer.stream(sentence, voice, options=options):
            words += [
                SpokenWord(word.text, start + word.start_samples, start + word.end_samples)
                for word in chunk.words
            ]
            pieces.append(chunk.audio)
            position += len(chunk.audio)
        if position > start:
            sentences.append(SpokenSentence(sentence, start, position, tuple(words)))
            pieces.append(pause)
            position += len(pause)
    audio = concat(pieces, rate_hz)
    return audio, Paragraph(FORMAT, len(audio), tuple(sentences))


def pieces_of(paragraph: str) -> list[str]:
    """A paragraph that goes on for pages, cut behind sentences; any other is one piece."""
    pieces, start = [], 0
    while len(paragraph) - start > LONGEST_PIECE:
        limit = start + LONGEST_PIECE
        ends = [found.end() for found in _END.finditer(paragraph, start, limit)]
        end = ends[-1] if ends else paragraph.rfind(" ", start, limit) + 1 or limit
        pieces.append(paragraph[start:end])
        start = end
    return [*pieces, paragraph[start:]]


def whole_sentences(text: str) -> list[str]:
    """The sentences of a text; the splitter's early first clause joins the one after it."""
    splitter = SentenceSplitter()
    pieces = [*splitter.push(text), *splitter.flush()]
    ends = tuple(LATIN_ENDS | WIDE_ENDS | QUOTES)
    if len(pieces) > 1 and not pieces[0].endswith(ends):
        joined = f"{pieces[0]} {pieces[1]}" if pieces[0][-1].isascii() else pieces[0] + pieces[1]
        if len(joined) <= LONGEST_OPENING:
            return [joined, *pieces[2:]]
    return pieces


def silence(seconds: float, sample_rate_hz: int) -> Float32Array:
    """(T,) of nothing."""
    return np.zeros(round(seconds * sample_rate_hz), np.float32)
