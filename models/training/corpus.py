"""Corpus: the rendered speech that nano learns from, as a folder of shards.

    manifest.jsonl           one Line per utterance; shard k holds lines 50k … 50k + 49
    shard-00000.npz          the sound and its exact labels
    shard-00000.whisper.npz  features of the same utterances, once they are computed
    shard-00000.speaker.npz  likewise
    shard-00000.prosody.npz  likewise

A shard is a plain .npz of concatenated arrays; where an utterance begins follows from the
lengths, so it holds no pickles:

    lines      uint8   the manifest lines, UTF-8 JSON, one per line
    samples    int16   24 kHz sound: 600 samples in every unit
    symbols    int16   ids in the table SYMBOLS_V2
    durations  int16   units of 25 ms: leading silence, each symbol, trailing silence
    pitch_hz   float32 2 frames in a unit; raw: values below 10 Hz are unvoiced
    energy     float16 2 frames in a unit
    styles     float16 (utterances, 256) the teacher's style: 128 of timbre, 128 of prosody

Shards appear one by one while others are rendered, each complete from its first moment; a
reader calls `refresh()` now and then. Knows nothing about the teacher or about training.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from selftalk.models.training.styles import ProsodyMix, Timbre
from selftalk.stream.errors import ConfigError
from selftalk.stream.sound.audio import Float32Array, Int16Array, from_int16, write_atomically
from selftalk.stream.text.symbols import symbol_ids

SAMPLE_RATE_HZ = 24_000
UNIT_SAMPLES = 600
FRAMES_PER_UNIT = 2
SHARD_LINES = 50
MANIFEST = "manifest.jsonl"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is needed to render one utterance again, bit by bit."""

    text: str
    language: str
    symbols: tuple[str, ...]
    runs: tuple[str, ...]
    """What the teacher reads: the characters owned by each symbol."""
    speaker: str
    """Whose timbre it is."""
    timbre: Timbre
    prosody: ProsodyMix
    speed: float
    pair: int = -1
    """Lines of one pair differ in timbre alone: they are aligned to the sample."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One rendered line; T units of 25 ms, N symbols."""

    index: int
    """Its line in the manifest."""
    line: Line
    audio: Int16Array
    """(T * 600,) at 24 kHz."""
    symbols: npt.NDArray[np.int16]
    """(N,) ids in the table SYMBOLS_V2."""
    durations: npt.NDArray[np.int16]
    """(N + 2,) units: leading silence, each symbol, trailing silence; their sum is T."""
    pitch_hz: Float32Array
    """(2T,) raw, 80 Hz."""
    energy: npt.NDArray[np.float16]
    """(2T,) 80 Hz."""
    style: npt.NDArray[np.float16]
    """(256,) timbre, then prosody."""
    whisper: npt.NDArray[np.float16] | None = None
    """(T50, 512) encoder features at 50 Hz, once computed."""
    speaker_embedding: Float32Array | None = None
    """(256,) of length 1, once computed."""
    heard_prosody: npt.NDArray[np.float16] | None = None
    """(T100, 3) at 100 Hz: what a pitch tracker hears in the part that is kept, once computed."""
    heard_mean_log_pitch: float | None = None
    """Mean log pitch by that tracker, once computed."""

    @property
    def complete(self) -> bool:
        """Whether all its features are computed."""
        features = (self.whisper, self.speaker_embedding, self.heard_prosody)
        return all(feature is not None for feature in features)

    @property
    def samples(self) -> Float32Array:
        """(T * 600,) float32 in [-1, 1]."""
        return from_int16(self.audio)

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return len(self.audio) / SAMPLE_RATE_HZ


def read_manifest(folder: Path) -> list[Line]:
    """Read all planned lines; none when nothing was planned yet."""
    path = folder / MANIFEST
    return decode_lines(path.read_bytes()) if path.is_file() else []


def append_manifest(folder: Path, lines: Iterable[Line]) -> None:
    """Plan more lines; those that are planned keep their places."""
    path = folder / MANIFEST
    planned = path.read_bytes() if path.is_file() else b""
    write_atomically(path, planned + encode_lines(lines))


def encode_lines(lines: Iterable[Line]) -> bytes:
    """Lines as JSON, one per line."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def decode_lines(content: bytes) -> list[Line]:
    """Read what `encode_lines` wrote."""
    return [msgspec.json.decode(line, type=Line) for line in content.splitlines()]


def shard_path(folder: Path, shard: int, kind: str = "") -> Path:
    """The file of a shard, or of its features (`kind` "whisper", "speaker" or "prosody")."""
    return folder / f"shard-{shard:05d}{'.' + kind if kind else ''}.npz"


def write_shard(folder: Path, shard: int, utterances: Sequence[Utterance]) -> None:
    """Write a shard; it appears complete or not at all."""
    write_arrays(
        shard_path(folder, shard),
        lines=np.frombuffer(encode_lines(u.line for u in utterances), np.uint8),
        samples=np.concatenate([u.audio for u in utterances]),
        symbols=np.concatenate([u.symbols for u in utterances]),
        durations=np.concatenate([u.durations for u in utterances]),
        pitch_hz=np.concatenate([u.pitch_hz for u in utterances]),
        energy=np.concatenate([u.energy for u in utterances]),
        styles=np.stack([u.style for u in utterances]),
    )


def write_arrays(path: Path, **arrays: npt.NDArray[Any]) -> None:
    """Write an .npz file that appears complete or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomically(path, buffer.getvalue())


class Corpus:
    """The finished shards of a folder; a shard is read when its first utterance is wanted."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ConfigError(f"corpus folder '{self.folder}' does not exist")
        self._loaded: dict[int, list[Utterance]] = {}
        self.shards: tuple[int, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Look for shards, and for features, that were finished in the meantime."""
        names = self.folder.glob("shard-?????.npz")
        self.shards = tuple(sorted(int(path.stem.removeprefix("shard-")) for path in names))
        for shard, utterances in list(self._loaded.items()):
            first = utterances[0]
            if not first.complete:
                del self._loaded[shard]

    def __iter__(self) -> Iterator[Utterance]:
        for shard in self.shards:
            yield from self.shard(shard)

    def forget(self, shard: int) -> None:
        """Free the memory of a shard; it is read anew when it is wanted again."""
        self._loaded.pop(shard, None)

    def shard(self, shard: int) -> list[Utterance]:
        """The utterances of one finished shard, with the features that exist."""
        if shard not in self._loaded:
            self._loaded[shard] = read_shard(self.folder, shard)
        return self._loaded[shard]


def read_shard(folder: Path, shard: int) -> list[Utterance]:
    """Read a shard and what features of it exist.

    Raises:
        ConfigError: the file is missing or is not a shard.
    """
    path = shard_path(folder, shard)
    try:
        arrays = _read_arrays(path)
        lines = decode_lines(arrays["lines"].tobytes())
        return _cut(shard, lines, arrays, _features(folder, shard))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ConfigError(f"'{path}' is not a complete corpus shard: {error}") from error


def _read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    # Opened here, because numpy leaves the file of a damaged archive open.
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _cut(
    shard: int,
    lines: Sequence[Line],
    arrays: dict[str, npt.NDArray[Any]],
    features: dict[str, list[Any]],
) -> list[Utterance]:
    """Cut the concatenated arrays at the borders of the utterances."""
    counts = [len(line.symbols) for line in lines]
    durations = _split(arrays["durations"], [count + 2 for count in counts])
    units = [int(piece.sum()) for piece in durations]
    frames = [FRAMES_PER_UNIT * unit for unit in units]
    columns: dict[str, list[Any]] = {
        "audio": _split(arrays["samples"], [UNIT_SAMPLES * unit for unit in units]),
        "symbols": _split(arrays["symbols"], counts),
        "durations": durations,
        "pitch_hz": _split(arrays["pitch_hz"], frames),
        "energy": _split(arrays["energy"], frames),
        "style": list(arrays["styles"]),
        **features,
    }
    return [
        Utterance(
            index=shard * SHARD_LINES + row,
            line=line,
            **{name: column[row] for name, column in columns.items()},
        )
        for row, line in enumerate(lines)
    ]


def _split(array: npt.NDArray[Any], lengths: Sequence[int]) -> list[npt.NDArray[Any]]:
    if sum(lengths) != len(array):
        raise ValueError(f"{len(array)} values where {sum(lengths)} were announced")
    return np.split(array, np.cumsum(lengths)[:-1])


def _features(folder: Path, shard: int) -> dict[str, list[Any]]:
    features: dict[str, list[Any]] = {}
    whisper = shard_path(folder, shard, "whisper")
    if whisper.is_file():
        arrays = _read_arrays(whisper)
        features["whisper"] = _split(arrays["frames"], arrays["lengths"].tolist())
    speaker = shard_path(folder, shard, "speaker")
    if speaker.is_file():
        features["speaker_embedding"] = list(_read_arrays(speaker)["embeddings"])
    prosody = shard_path(folder, shard, "prosody")
    if prosody.is_file():
        arrays = _read_arrays(prosody)
        features["heard_prosody"] = _split(arrays["frames"], arrays["lengths"].tolist())
        features["heard_mean_log_pitch"] = arrays["mean_log_pitch"].tolist()
    return features


def line_symbol_ids(line: Line) -> npt.NDArray[np.int16]:
    """(N,) ids of a line's symbols in the table SYMBOLS_V2."""
    return symbol_ids(line.symbols).astype(np.int16)
