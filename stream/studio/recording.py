"""Recording: a person's speech, checked, sliced, written down; kept as one folder.

    recordings/NAME/recording.json    recordings/NAME/0000.flac …

What `selftalk record` leaves and `selftalk enroll` and `selftalk clone` take. Knows nothing
about how recordings are checked or cut, nor about voices.
"""

import dataclasses
import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from selftalk.stream.errors import AudioFileError
from selftalk.stream.home import data_folder
from selftalk.stream.sound.audio import AudioChunk, Float32Array, concat, to_int16, write_atomically
from selftalk.stream.sound.resample import resample
from selftalk.stream.studio.report import RecordingReport
from selftalk.stream.synthesis.styles import Style
from selftalk.stream.synthesis.voices import check_voice_name

FORMAT = 1
MANIFEST = "recording.json"


@dataclass(frozen=True, slots=True)
class Slice:
    """A few seconds of one person's speech between two pauses, at a common loudness."""

    samples: Float32Array
    """(T,) float32."""
    sample_rate_hz: int
    start_samples: int = 0
    """Where it began in the file it was cut from."""
    source: str = ""
    """The name of that file."""
    text: str = ""
    """What is said; empty when it is not known."""
    confidence: float = 1.0
    """Of the text: the recogniser's, or 1 for a prompt that was read as it stands."""
    mean_log_pitch: float = 0.0
    """Natural logarithm of the mean pitch in Hz; 0 where there is no voiced sound."""
    pitch_spread_semitones: float = 0.0
    level_dbfs: float = -120.0
    """Of the speech as it was recorded."""
    syllables_per_second: float = 0.0
    """How fast it is spoken, roughly."""

    @property
    def audio(self) -> AudioChunk:
        """The slice as sound."""
        return AudioChunk(self.samples, self.sample_rate_hz)

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.sample_rate_hz


@dataclass(frozen=True, slots=True)
class Recording:
    """All that is kept of a person's recordings under one name."""

    name: str
    language: str
    slices: tuple[Slice, ...]
    report: RecordingReport
    references: dict[Style, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    """Places in `slices` of the best references for each style, the best first."""

    @property
    def speech_seconds(self) -> float:
        """How much speech the slices hold."""
        return sum(piece.seconds for piece in self.slices)

    def reference(self, style: Style = "neutral") -> Slice:
        """The best slice that shows the voice in a style; a neutral one if there is none.

        Raises:
            AudioFileError: the recording holds no reference at all.
        """
        places = self.references.get(style) or self.references.get("neutral") or ()
        if not places:
            raise AudioFileError(f"recording '{self.name}' holds no usable reference")
        return self.slices[places[0]]

    def joined(self, sample_rate_hz: int) -> AudioChunk:
        """All slices, one after another, at one rate."""
        return joined(self.slices, sample_rate_hz)

    def save(self, folder: Path) -> None:
        """Write the recording; one that was there before is replaced when the new one is whole.

        Raises:
            AudioFileError: the folder cannot be written.
        """
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
            try:
                self._write(fresh)
                if folder.exists():
                    shutil.rmtree(folder)
                fresh.replace(folder)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
        except OSError as error:
            raise AudioFileError(f"cannot write '{folder}': {error.strerror}") from error

    def _write(self, folder: Path) -> None:
        entries = []
        for place, piece in enumerate(self.slices):
            file, content = f"{place:04d}.flac", _flac(piece)
            write_atomically(folder / file, content)
            entries.append(_Entry.of(piece, file, hashlib.sha256(content).hexdigest()))
        manifest = _Manifest(
            FORMAT, self.name, self.language, tuple(entries), self.report, dict(self.references)
        )
        write_atomically(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))

    @classmethod
    def load(cls, folder: Path) -> "Recording":
        """Read a recording.

        Raises:
            AudioFileError: it is missing or damaged.
        """
        try:
            manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
        except (OSError, msgspec.MsgspecError) as error:
            raise AudioFileError(f"'{folder}' is not a recording: {error}") from error
        if manifest.format != FORMAT:
            raise AudioFileError(f"recording '{folder}' has the unknown format {manifest.format}")
        slices = tuple(entry.read(folder) for entry in manifest.slices)
        return cls(manifest.name, manifest.language, slices, manifest.report, manifest.references)


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A slice as the manifest describes it."""

    file: str
    sha256: str
    start_samples: int
    source: str
    text: str
    confidence: float
    mean_log_pitch: float
    pitch_spread_semitones: float
    level_dbfs: float
    syllables_per_second: float

    @classmethod
    def of(cls, piece: Slice, file: str, sha256: str) -> "_Entry":
        described = {
            name: getattr(piece, name)
            for name in cls.__struct_fields__
            if name not in ("file", "sha256")
        }
        return cls(file, sha256, **described)

    def read(self, folder: Path) -> Slice:
        path = folder / self.file
        try:
            content = path.read_bytes() if Path(self.file).name == self.file else b""
        except OSError as error:
            raise AudioFileError(f"recording '{folder}' lacks its file '{self.file}'") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise AudioFileError(f"'{path}' is damaged: its hash is wrong")
        samples, sample_rate_hz = soundfile.read(io.BytesIO(content), dtype="float32")
        described = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name not in ("file", "sha256")
        }
        return Slice(np.asarray(samples, np.float32), int(sample_rate_hz), **described)


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `recording.json` says."""

    format: int
    name: str
    language: str
    slices: tuple[_Entry, ...]
    report: RecordingReport
    references: dict[Style, tuple[int, ...]]


def recordings_folder() -> Path:
    """Where recordings are kept, a folder each."""
    return data_folder() / "recordings"


def recording_folder(name: str) -> Path:
    """The folder of a recording, which may not exist yet.

    Raises:
        VoiceError: the name cannot be that of a voice.
    """
    return recordings_folder() / check_voice_name(name)


def load_recording(name: str) -> Recording:
    """The recording that `selftalk record NAME` left.

    Raises:
        AudioFileError: there is none, or it is damaged.
        VoiceError: the name cannot be that of a voice.
    """
    folder = recording_folder(name)
    if not folder.is_dir():
        raise AudioFileError(f"there is no recording of '{name}'; make one: selftalk record {name}")
    return Recording.load(folder)


def joined(slices: Iterable[Slice], sample_rate_hz: int) -> AudioChunk:
    """Slices one after another, at one rate."""
    return concat(
        (
            AudioChunk(
                resample(piece.samples, piece.sample_rate_hz, sample_rate_hz), sample_rate_hz
            )
            for piece in slices
        ),
        sample_rate_hz,
    )


def _flac(piece: Slice) -> bytes:
    buffer = io.BytesIO()
    samples = to_int16(piece.samples)
    soundfile.write(buffer, samples, piece.sample_rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
