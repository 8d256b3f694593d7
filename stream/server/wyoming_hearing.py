"""Hearing a Wyoming client: sound comes in, the transcript goes out, a part after each pause.

The recogniser works while more sound arrives, so that little is left to do at the end.
"""

import asyncio

import numpy as np

from selftalk.stream.dialogue.events import SpeechEnded
from selftalk.stream.dialogue.turns import TurnEvent
from selftalk.stream.errors import AudioFileError
from selftalk.stream.listening.recognizer import Transcript, base_language
from selftalk.stream.listening.transcription import CUTTING
from selftalk.stream.server.api_errors import ApiError
from selftalk.stream.server.app import ServerContext
from selftalk.stream.server.transcriptions import MOST_CHANNELS, USUAL_RATES_HZ
from selftalk.stream.server.wyoming_events import Event, Line
from selftalk.stream.sound.audio import AudioChunk, Float32Array, from_int16
from selftalk.stream.sound.io import SAMPLE_RATE_HZ
from selftalk.stream.sound.resample import LiveResampler
from selftalk.stream.stop import StopFlag

LONGEST_SECONDS = 600
WAITING_UTTERANCES = 4  # a client that sends faster than it is understood waits


class Hearing:
    """What one connection says."""

    def __init__(self, context: ServerContext, line: Line) -> None:
        self._context = context
        self._line = line
        self._language: str | None = None
        self._listening: _Listening | None = None
        self.answers = {
            "transcribe": self._transcribe,
            "audio-start": self._start,
            "audio-chunk": self._chunk,
            "audio-stop": self._stop,
        }

    async def close(self) -> None:
        """Forget the sound, and end what is being understood."""
        if self._listening is not None:
            await self._listening.close()
            self._listening = None

    async def _transcribe(self, event: Event) -> None:
        language = event.data.get("language")
        self._language = base_language(language) if isinstance(language, str) else None

    async def _start(self, event: Event) -> None:
        await self.close()
        language = self._language or self._context.language
        self._listening = _Listening(self._context, self._line, language, _rate_of(event))

    async def _chunk(self, event: Event) -> None:
        if self._listening is None:
            await self._start(event)
        assert self._listening is not None
        await self._listening.push(_samples_of(event), _rate_of(event))

    async def _stop(self, _event: Event) -> None:
        if self._listening is not None:
            await self._listening.flush()


class _Listening:
    """A recording as it arrives, and the task that writes it down."""

    def __init__(self, context: ServerContext, line: Line, language: str, rate_hz: int) -> None:
        self._context = context
        self._line = line
        self._language = language
        self._resampler = LiveResampler(rate_hz, SAMPLE_RATE_HZ)
        self._detector = context.make_detector(CUTTING)
        self._seconds = 0.0
        self._stop = StopFlag()
        self._utterances: asyncio.Queue[AudioChunk | None] = asyncio.Queue(WAITING_UTTERANCES)
        self._task = asyncio.create_task(self._told())

    async def push(self, samples: Float32Array, rate_hz: int) -> None:
        """Add (T,) samples."""
        if rate_hz != self._resampler.from_hz:
            raise AudioFileError("the sample rate changed in the middle")
        self._seconds += len(samples) / rate_hz
        if self._seconds > LONGEST_SECONDS:
            raise AudioFileError(f"the recording is longer than {LONGEST_SECONDS} s")
        await self._detect(self._resampler.push(samples))

    async def flush(self) -> None:
        """The recording is over."""
        await self._detect(self._resampler.flush())
        await self._put(await asyncio.to_thread(self._detector.flush))
        await self._utterances.put(None)

    async def close(self) -> None:
        self._stop.set()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _detect(self, samples: Float32Array) -> None:
        if len(samples) and not self._task.done():
            chunk = AudioChunk(samples, SAMPLE_RATE_HZ)
            await self._put(await asyncio.to_thread(self._detector.push, chunk))

    async def _put(self, events: list[TurnEvent]) -> None:
        for event in events:
            if isinstance(event, SpeechEnded) and not self._task.done():
                await self._utterances.put(event.audio)

    async def _told(self) -> None:
        try:
            with self._context.admission.admitted(self._line.peer) as refusal:
                if refusal is not None:
                    raise ApiError.refused(refusal)
                await self._write_down()
        except (ConnectionError, TimeoutError):
            self._context.telemetry.count("wyoming_lost_total")
        except Exception as error:
            await self._line.fail(error)

    async def _write_down(self) -> None:
        await self._line.send("transcript-start", {"language": self._language})
        texts: list[str] = []
        while (audio := await self._utterances.get()) is not None:
            transcript = await asyncio.to_thread(self._recognize, audio)
            if transcript.text:
                part = f" {transcript.text}" if texts else transcript.text
                await self._line.send("transcript-chunk", {"text": part})
                texts.append(transcript.text)
        whole = {"text": " ".join(texts), "language": self._language}
        await self._line.send("transcript", whole)
        await self._line.send("transcript-stop")

    def _recognize(self, audio: AudioChunk) -> Transcript:
        stages = self._context.stages
        with stages.recognizing:
            return stages.recognizer.transcribe(audio, self._language, self._stop)


def _rate_of(event: Event) -> int:
    rate = event.data.get("rate")
    if not isinstance(rate, int) or rate not in USUAL_RATES_HZ:
        raise AudioFileError("'rate' is not one of the usual sample rates")
    return rate


def _samples_of(event: Event) -> Float32Array:
    """(T,) of a chunk of 16 bit sound."""
    channels = event.data.get("channels")
    if event.data.get("width") != 2:
        raise AudioFileError("'width' is not 2: sound has 16 bit here")
    if not isinstance(channels, int) or not 1 <= channels <= MOST_CHANNELS:
        raise AudioFileError(f"'channels' is not between 1 and {MOST_CHANNELS}")
    if len(event.payload) % (2 * channels):
        raise AudioFileError("a sample was cut in the middle")
    samples = from_int16(np.frombuffer(event.payload, "<i2")).reshape(-1, channels)
    return np.ascontiguousarray(samples.mean(axis=1), np.float32)
