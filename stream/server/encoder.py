"""Encoder: samples → the bytes of an audio format, piece by piece as they are spoken.

    pcm raw    16 bit little endian at a fixed rate      wav    the same behind an open-ended header
    mp3 by libsndfile, at the voice's own rate           opus ogg    in Ogg pages of 100 ms
    flac, wav file   whole at the end: many readers refuse a file without a length at its front

Knows nothing about HTTP.
"""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import soundfile

from selftalk.stream.sound.audio import Float32Array, to_int16
from selftalk.stream.sound.resample import LiveResampler
from selftalk.stream.trust.label_stream import StreamLabel
from selftalk.stream.trust.labels import LabelsConfig

OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
UNKNOWN_BYTES = 0xFFFF_FFFF  # in a WAV header: until the stream ends
SET_OGG_PAGE_LATENCY_MS = 0x1302  # of libsndfile; its own default is a page each second
PAGE_LATENCY_MS = 100.0
# A constant rate: players can tell the length without the index that comes too late.
MP3_SETTINGS = {"bitrate_mode": "CONSTANT", "compression_level": 0.25}  # 128 kbit/s


class Encoder(Protocol):
    """Turns one utterance into bytes; a new one for each."""

    sample_rate_hz: int
    """Of the encoded sound."""

    def push(self, samples: Float32Array) -> bytes:
        """Add (T,) samples at the rate of the source; return the bytes that are ready."""
        ...

    def flush(self) -> bytes:
        """Return the rest, and end."""
        ...


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How an utterance is sent."""

    name: str
    content_type: str
    make: Callable[[int, int | None], Encoder]

    def open(
        self, from_hz: int, to_hz: int | None = None, labels: LabelsConfig | None = None
    ) -> Encoder:
        """An encoder for one utterance.

        Args:
            from_hz: the rate of its samples.
            to_hz: the rate wanted; None for the most natural one.
            labels: what is to stand in the file; raw samples have no place for it.
        """
        encoder = self.make(from_hz, to_hz)
        return encoder if labels is None or self.name == "pcm" else LabelledEncoder(encoder, labels)


class PcmEncoder:
    """16 bit samples, with a WAV header before them if wanted."""

    def __init__(self, from_hz: int, to_hz: int, header: bytes = b"") -> None:
        self.sample_rate_hz = to_hz
        self._resampler = LiveResampler(from_hz, to_hz)
        self._header = header

    def push(self, samples: Float32Array) -> bytes:
        """See `Encoder`."""
        header, self._header = self._header, b""
        return header + pcm16(self._resampler.push(samples))

    def flush(self) -> bytes:
        """See `Encoder`."""
        header, self._header = self._header, b""
        return header + pcm16(self._resampler.flush())


class WavFileEncoder:
    """A whole WAV file at the end, which knows its length."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.sample_rate_hz = to_hz
        self._encoder = PcmEncoder(from_hz, to_hz)
        self._sound: list[bytes] = []

    def push(self, samples: Float32Array) -> bytes:
        """See `Encoder`."""
        self._sound.append(self._encoder.push(samples))
        return b""

    def flush(self) -> bytes:
        """See `Encoder`."""
        sound = b"".join([*self._sound, self._encoder.flush()])
        return wav_header(self.sample_rate_hz, len(sound)) + sound


class SndfileEncoder:
    """A format that libsndfile writes, taken from it as fast as it lets go of it."""

    def __init__(
        self, from_hz: int, to_hz: int, container: str, codec: str, **settings: Any
    ) -> None:
        self.sample_rate_hz = to_hz
        self._streams = container != "FLAC"
        self._resampler = LiveResampler(from_hz, to_hz)
        self._pipe = _Pipe()
        self._file = soundfile.SoundFile(
            self._pipe, "w", to_hz, 1, format=container, subtype=codec, **settings
        )
        if container == "OGG":
            _shorten_pages(self._file)

    def push(self, samples: Float32Array) -> bytes:
        """See `Encoder`."""
        self._file.write(to_int16(self._resampler.push(samples)))
        return self._pipe.take() if self._streams else b""

    def flush(self) -> bytes:
        """See `Encoder`."""
        self._file.write(to_int16(self._resampler.flush()))
        self._file.close()
        return self._pipe.take()


class LabelledEncoder:
    """Another encoder, whose files say in their metadata that a machine speaks."""

    def __init__(self, encoder: Encoder, labels: LabelsConfig) -> None:
        self.sample_rate_hz = encoder.sample_rate_hz
        self._encoder = encoder
        self._label = StreamLabel(labels)

    def push(self, samples: Float32Array) -> bytes:
        """See `Encoder`."""
        return self._label.push(self._encoder.push(samples))

    def flush(self) -> bytes:
        """See `Encoder`."""
        return self._label.push(self._encoder.flush()) + self._label.flush()


class _Pipe(io.RawIOBase):
    """A file whose bytes are taken away while it grows; what was taken cannot be changed."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._taken = 0
        self._position = 0

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._taken += len(taken)
        self._waiting.clear()
        return taken

    def write(self, content: "io.ReadableBuffer") -> int:  # type: ignore[name-defined]
        piece = bytes(content)
        start = self._position - self._taken
        self._position += len(piece)
        late = max(0, -start)  # a length that is filled in afterwards: those bytes are gone
        if late < len(piece):
            start = max(0, start)
            self._waiting[start : start + len(piece) - late] = piece[late:]
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = self._taken + len(self._waiting)
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: end}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: object) -> int:
        del buffer
        return 0

    def seekable(self) -> bool:
        return True


def _shorten_pages(file: soundfile.SoundFile) -> None:
    """Let an Ogg page go every 100 ms; soundfile has no word for it, so this asks underneath.

    Where a later soundfile looks different inside, pages are a second long and all else works.
    """
    library, ffi = getattr(soundfile, "_snd", None), getattr(soundfile, "_ffi", None)
    handle = getattr(file, "_file", None)
    if library is not None and ffi is not None and handle is not None:
        latency = ffi.new("double*", PAGE_LATENCY_MS)
        library.sf_command(handle, SET_OGG_PAGE_LATENCY_MS, latency, ffi.sizeof("double"))


def pcm16(samples: Float32Array) -> bytes:
    """16 bit little endian bytes of (T,) samples."""
    return to_int16(samples).astype("<i2").tobytes()


def wav_header(sample_rate_hz: int, sound_bytes: int | None = None) -> bytes:
    """The 44 bytes before 16 bit mono samples; of a stream when their number is not known."""
    riff_bytes = UNKNOWN_BYTES if sound_bytes is None else 36 + sound_bytes
    byte_rate, block_bytes, bits = 2 * sample_rate_hz, 2, 16
    form = struct.pack("<IHHIIHH", 16, 1, 1, sample_rate_hz, byte_rate, block_bytes, bits)
    sound = struct.pack("<4sI", b"data", UNKNOWN_BYTES if sound_bytes is None else sound_bytes)
    return struct.pack("<4sI4s4s", b"RIFF", riff_bytes, b"WAVE", b"fmt ") + form + sound


def _open_pcm(from_hz: int, to_hz: int | None) -> Encoder:
    return PcmEncoder(from_hz, to_hz or 24_000)  # what OpenAI's "pcm" means


def _open_wav(from_hz: int, to_hz: int | None) -> Encoder:
    rate_hz = to_hz or from_hz
    return PcmEncoder(from_hz, rate_hz, wav_header(rate_hz))


def _open_wav_file(from_hz: int, to_hz: int | None) -> Encoder:
    return WavFileEncoder(from_hz, to_hz or from_hz)


def _open_opus(from_hz: int, to_hz: int | None) -> Encoder:
    rate_hz = to_hz or from_hz
    rate_hz = min(rate for rate in OPUS_RATES_HZ if rate >= min(rate_hz, OPUS_RATES_HZ[-1]))
    return SndfileEncoder(from_hz, rate_hz, "OGG", "OPUS")


def _sndfile(container: str, codec: str, **settings: Any) -> Callable[[int, int | None], Encoder]:
    def open_encoder(from_hz: int, to_hz: int | None) -> Encoder:
        return SndfileEncoder(from_hz, to_hz or from_hz, container, codec, **settings)

    return open_encoder


FORMATS = {
    one.name: one
    for one in (
        AudioFormat("wav", "audio/wav", _open_wav),
        AudioFormat("wav file", "audio/wav", _open_wav_file),
        AudioFormat("pcm", "audio/pcm", _open_pcm),
        AudioFormat("flac", "audio/flac", _sndfile("FLAC", "PCM_16")),
        AudioFormat("opus", "audio/ogg; codecs=opus", _open_opus),
        AudioFormat("mp3", "audio/mpeg", _sndfile("MP3", "MPEG_LAYER_III", **MP3_SETTINGS)),
        AudioFormat("ogg", "audio/ogg; codecs=vorbis", _sndfile("OGG", "VORBIS")),
    )
}
"""Every format there is, by name; AAC needs an encoder that no library here has."""
