"""Audio as values: a chunk of samples, re-chunking, files, levels.

Knows nothing about devices, time, or speech.
"""

import io
import math
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from selftalk.stream.errors import AudioFileError

Float32Array = npt.NDArray[np.float32]
Int16Array = npt.NDArray[np.int16]

INT16_SCALE = 32767.0


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Mono audio of any length."""

    samples: Float32Array
    """(T,) float32 in [-1, 1]."""
    sample_rate_hz: int

    def __post_init__(self) -> None:
        assert self.samples.ndim == 1, f"mono (T,) expected, got {self.samples.shape}"
        assert self.samples.dtype == np.float32, f"float32 expected, got {self.samples.dtype}"

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz

    @property
    def duration_ms(self) -> float:
        """Length in milliseconds."""
        return 1000 * self.duration_seconds


class FrameBuffer:
    """Cuts a stream of arbitrary pieces into frames of a fixed size."""

    def __init__(self, frame_samples: int) -> None:
        assert frame_samples > 0, frame_samples
        self.frame_samples = frame_samples
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: Float32Array) -> list[Float32Array]:
        """Add (T,) samples; return the frames that are now complete, each (frame_samples,)."""
        if len(samples) == self.frame_samples and not len(self._rest):
            return [samples]
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // self.frame_samples * self.frame_samples
        self._rest = joined[whole:]
        return list(joined[:whole].reshape(-1, self.frame_samples))

    def flush(self) -> Float32Array:
        """Return what is left, shorter than a frame, and start afresh."""
        rest, self._rest = self._rest, np.zeros(0, np.float32)
        return rest

    def reset(self) -> None:
        """Forget the incomplete frame."""
        self._rest = np.zeros(0, np.float32)


def concat(chunks: Iterable[AudioChunk], sample_rate_hz: int) -> AudioChunk:
    """Join chunks of one sample rate; no chunks give silence of length 0."""
    pieces = []
    for chunk in chunks:
        assert chunk.sample_rate_hz == sample_rate_hz, (chunk.sample_rate_hz, sample_rate_hz)
        pieces.append(chunk.samples)
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return AudioChunk(samples, sample_rate_hz)


def to_int16(samples: Float32Array) -> Int16Array:
    """Convert to 16 bit, saturating: a sample above full scale never wraps to its opposite."""
    if not math.isfinite(np.vdot(samples, samples)):  # rare; cheaper than to look at each
        samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    scaled = samples * np.float32(INT16_SCALE)
    np.minimum(scaled, INT16_SCALE, out=scaled)
    np.maximum(scaled, -INT16_SCALE, out=scaled)
    rounded: Int16Array = np.rint(scaled, out=scaled).astype(np.int16)
    return rounded


def from_int16(samples: Int16Array) -> Float32Array:
    """Convert 16 bit samples to float32 in [-1, 1]."""
    return (samples.astype(np.float32) / INT16_SCALE).clip(-1.0, 1.0)


def level_dbfs(samples: Float32Array) -> float:
    """Root-mean-square level in dB relative to full scale; -120 for silence."""
    if not len(samples):
        return -120.0
    root_mean_square = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    return max(-120.0, float(20 * np.log10(root_mean_square + 1e-12)))


def read_audio(path: str | Path) -> AudioChunk:
    """Read an audio file of any common format as mono float32 at its own sample rate.

    Raises:
        AudioFileError: the file is missing, unreadable, or holds no samples.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioFileError(f"audio file '{path}' does not exist")
    try:
        samples, sample_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise AudioFileError(
            f"'{path}' is not a readable audio file; WAV, FLAC, OGG and MP3 are"
        ) from error
    if not len(samples):
        raise AudioFileError(f"audio file '{path}' holds no samples")
    mono = np.nan_to_num(samples.mean(axis=1, dtype=np.float32))
    return AudioChunk(np.ascontiguousarray(mono, np.float32), int(sample_rate_hz))


def write_wav(path: str | Path, chunk: AudioChunk) -> None:
    """Write a 16 bit WAV file; the old file stays until the new one is complete.

    Raises:
        AudioFileError: the folder does not exist or cannot be written.
    """
    path = Path(path)
    buffer = io.BytesIO()
    soundfile.write(
        buffer, to_int16(chunk.samples), chunk.sample_rate_hz, format="WAV", subtype="PCM_16"
    )
    try:
        write_atomically(path, buffer.getvalue(), private=False)
    except OSError as error:
        raise AudioFileError(f"cannot write '{path}': {error.strerror}") from error


def write_atomically(path: Path, content: bytes, *, private: bool = True) -> None:
    """Replace a file in one step, so that a crash or a full disk leaves the old one intact.

    A file that is there keeps its mode; a new one is the user's alone, or what the umask says.

    Raises:
        OSError: the folder does not exist, is read-only, or the disk is full.
    """
    descriptor, temporary = open_beside(path, private=private)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        take_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def open_beside(path: Path, *, private: bool) -> tuple[int, Path]:
    """Create the file that will take the place of another; return its descriptor and path.

    It is the user's alone, or has the mode that the umask says.

    Raises:
        OSError: the folder does not exist or is read-only.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(temporary, flags, 0o600 if private else 0o666), temporary


def take_place(temporary: Path, path: Path) -> None:
    """Replace a file, whose mode stays, in one step."""
    if path.exists():
        temporary.chmod(path.stat().st_mode)
    temporary.replace(path)
