"""Any audio: files that the usual library cannot read, by PyAV if that is installed.

WAV, FLAC, OGG and MP3 need nothing more; M4A, M4B, WebM and video do.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from selftalk.stream.errors import AudioFileError
from selftalk.stream.sound.audio import AudioChunk, Float32Array, read_audio

HIGHEST_RATE_HZ = 48_000


def read_any_audio(path: Path, longest_seconds: float | None = None) -> AudioChunk:
    """Read a file as mono, by PyAV where the usual library cannot.

    Args:
        path: of the file.
        longest_seconds: a little more than that is decoded by PyAV at most; None for all.

    Raises:
        AudioFileError: it is missing, unreadable, or holds no samples.
    """
    try:
        return read_audio(path)
    except AudioFileError as error:
        if not path.is_file() or path.stat().st_size == 0:
            raise
        if find_spec("av") is None:
            raise AudioFileError(
                f"{error}; for M4A and video: pip install 'selftalk[studio]'"
            ) from error
        audio = _read_by_av(path, longest_seconds)
        if audio is None:
            raise
        return audio


def _read_by_av(path: Path, longest_seconds: float | None) -> AudioChunk | None:
    """What PyAV hears in a file, as mono; None if it hears nothing."""
    import av

    pieces: list[Float32Array] = []
    rate_hz = samples = 0
    try:
        with av.open(str(path)) as container:
            resampler = None
            for frame in container.decode(audio=0):
                if resampler is None:
                    rate_hz = min(frame.sample_rate, HIGHEST_RATE_HZ)
                    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().reshape(-1).astype(np.float32))
                    samples += len(pieces[-1])
                if longest_seconds is not None and samples > (longest_seconds + 1) * rate_hz:
                    break  # long enough to be refused
    except (av.FFmpegError, IndexError, ValueError, OSError):
        return None
    return AudioChunk(np.concatenate(pieces), rate_hz) if pieces else None
