"""FileMicrophone and FileSpeaker: the engine from and to files, no sound card needed.

Both hang on one `SampleClock`: the microphone lets time pass, and the speaker renders exactly
as much. With an `EchoRoom` between them the microphone also hears the speaker.
Knows nothing about turns: what is said when the recordings are over is silence.
"""

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from selftalk.stream.echo.room import EchoRoom
from selftalk.stream.errors import AudioFileError
from selftalk.stream.sound.audio import (
    AudioChunk,
    Float32Array,
    open_beside,
    take_place,
    to_int16,
)
from selftalk.stream.sound.clock import SampleClock
from selftalk.stream.sound.io import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from selftalk.stream.sound.playout import Playout
from selftalk.stream.sound.resample import LiveResampler
from selftalk.stream.sound.sink import PlayoutSink

READ_SECONDS = 1
REFERENCE_BLOCKS = 50  # one second in blocks of 20 ms


class _FrontToBack(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is never sought in: soundfile seeks after each read, which hurts MP3."""

    def seekable(self) -> bool:
        """Nothing is read twice."""
        return False


class Recording:
    """An audio file of any format and length, read piece by piece as 16 kHz mono."""

    def __init__(self, source: str | Path | BinaryIO) -> None:
        """Open a file by its path, or one that is open already.

        Raises:
            AudioFileError: it is missing, unreadable, or holds no samples.
        """
        self._name = f"'{source}'" if isinstance(source, str | Path) else "that was sent"
        if isinstance(source, str | Path) and not Path(source).is_file():
            raise AudioFileError(f"audio file {self._name} does not exist")
        try:
            self._file = _FrontToBack(source)
        except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
            raise AudioFileError(
                f"the file {self._name} is not readable audio; WAV, FLAC, OGG and MP3 are"
            ) from error
        if not self._file.frames:
            raise AudioFileError(f"audio file {self._name} holds no samples")
        self._read_samples = 0
        self._resampler = LiveResampler(self._file.samplerate, SAMPLE_RATE_HZ)
        self._waiting = np.zeros(0, np.float32)
        self._complete = False

    @property
    def ended(self) -> bool:
        """Whether everything was read."""
        return self._complete and not len(self._waiting)

    @property
    def read_seconds(self) -> float:
        """How much of it was read."""
        return self._read_samples / SAMPLE_RATE_HZ

    def read(self, samples: int) -> Float32Array:
        """Return the next samples; fewer than asked for, down to none, at the end."""
        while len(self._waiting) < samples and not self._complete:
            self._waiting = np.concatenate([self._waiting, self._read_piece()])
        piece, self._waiting = self._waiting[:samples], self._waiting[samples:]
        self._read_samples += len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read_piece(self) -> Float32Array:
        try:
            frames = self._file.read(
                self._file.samplerate * READ_SECONDS, dtype="float32", always_2d=True
            )
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise AudioFileError(f"audio file {self._name} is damaged") from error
        if not len(frames):
            self._complete = True
            return self._resampler.flush()
        mono = np.nan_to_num(frames.mean(axis=1, dtype=np.float32))  # (T, channels) -> (T,)
        return self._resampler.push(mono)


class FileMicrophone:
    """Recordings as an AudioSource: the first at once, each further one after a `cue`."""

    def __init__(
        self,
        recordings: Sequence[str | Path] | str | Path,
        clock: SampleClock,
        room: EchoRoom | None = None,
    ) -> None:
        """Open the recordings.

        Args:
            recordings: one file or several, played in turn.
            clock: the time this source drives; the speaker's as well.
            room: what the microphone hears of the speaker, if anything.

        Raises:
            AudioFileError: one is missing, unreadable, or holds no samples.
        """
        paths = [recordings] if isinstance(recordings, str | Path) else recordings
        self._waiting = [Recording(path) for path in paths]
        self._playing: Recording | None = None
        self._clock = clock
        self._room = room
        self._closed = False
        self.cue()

    @property
    def ended(self) -> bool:
        """Whether all recordings are over; silence follows."""
        return not self._waiting and self.resting

    @property
    def resting(self) -> bool:
        """Whether the current recording is over, so that the next one may be cued."""
        return self._playing is None or self._playing.ended

    def cue(self) -> None:
        """Start the next recording, if there is one and the current one is over."""
        if self.resting and self._waiting:
            self._playing = self._waiting.pop(0)

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield 20 ms at a time as the clock runs, silence after the end, until closed."""
        while not self._closed:
            await self._clock.advance(CHUNK_SAMPLES)
            yield AudioChunk(self._next_samples(), SAMPLE_RATE_HZ)

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        for recording in [*self._waiting, *([self._playing] if self._playing else [])]:
            recording.close()
        self._waiting, self._playing = [], None

    def _next_samples(self) -> Float32Array:
        speech = self._playing.read(CHUNK_SAMPLES) if self._playing else np.zeros(0, np.float32)
        samples = np.pad(speech, (0, CHUNK_SAMPLES - len(speech)))
        return samples if self._room is None else samples + self._room.hear(CHUNK_SAMPLES)


class FileSpeaker(PlayoutSink):
    """An AudioSink that writes what was heard to a 16 bit WAV file.

    Silence before the first and after the last sound is left out. The file appears when the
    speaker is closed, and only if something was heard.
    """

    def __init__(
        self,
        path: str | Path | None,
        clock: SampleClock,
        sample_rate_hz: int = 32_000,
        room: EchoRoom | None = None,
    ) -> None:
        """Open the speaker.

        Args:
            path: where to write; None only plays.
            clock: the time the speaker follows.
            sample_rate_hz: rate of the file, best that of the synthesizer.
            room: told everything that is played.

        Raises:
            AudioFileError: the folder does not exist or cannot be written.
        """
        super().__init__(Playout(sample_rate_hz), clock.next_step)
        self._file = None if path is None else _HeardFile(Path(path), sample_rate_hz)
        self._room = room
        self._to_reference = LiveResampler(sample_rate_hz, SAMPLE_RATE_HZ)
        self._reference: list[Float32Array] = []
        self._passed_samples = 0
        self._rendered_samples = 0
        clock.subscribe(self._pass)

    def take_reference(self) -> Float32Array:
        """Return the (T,) samples at 16 kHz played since the last call."""
        taken, self._reference = self._reference, []
        return np.concatenate([np.zeros(0, np.float32), *taken])

    def close(self) -> None:
        """Stop, and put the file in its place."""
        super().close()
        if self._file is not None:
            self._file.close()

    def _pass(self, samples: int) -> None:
        """Render as much as the clock has moved on, whatever the ratio of the rates."""
        self._passed_samples += samples
        due = self._passed_samples * self._playout.sample_rate_hz // SAMPLE_RATE_HZ
        block = np.zeros(due - self._rendered_samples, np.float32)
        self._rendered_samples = due
        if not self._closed:
            self._playout.render(block)
        self._keep(self._to_reference.push(block))
        if self._file is not None:
            self._file.write(block)

    def _keep(self, reference: Float32Array) -> None:
        # Nobody may be interested in the reference: it must not grow for hours.
        self._reference = [*self._reference[-REFERENCE_BLOCKS:], reference]
        if self._room is not None:
            self._room.push(reference)


class _HeardFile:
    """A WAV file without the silence around it, complete or not there at all."""

    def __init__(self, path: Path, sample_rate_hz: int) -> None:
        self._path = path
        self._silent_samples = 0
        self._heard = False
        try:
            descriptor, self._temporary = open_beside(path, private=False)
        except OSError as error:
            raise AudioFileError(f"cannot write '{path}': {error.strerror}") from error
        self._stream = os.fdopen(descriptor, "w+b")
        self._file = soundfile.SoundFile(
            self._stream, "w", sample_rate_hz, 1, format="WAV", subtype="PCM_16"
        )

    def write(self, block: Float32Array) -> None:
        if self._file.closed:
            return
        if not block.any():
            self._silent_samples += len(block)
            return
        while self._heard and self._silent_samples:
            piece = min(self._silent_samples, self._file.samplerate)
            self._file.write(np.zeros(piece, np.int16))
            self._silent_samples -= piece
        self._heard, self._silent_samples = True, 0
        self._file.write(to_int16(block))

    def close(self) -> None:
        if self._file.closed:
            return
        self._file.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        if self._heard:
            take_place(self._temporary, self._path)
        else:
            self._temporary.unlink()
