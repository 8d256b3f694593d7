"""Microphone and Speaker: the sound card as an AudioSource and an AudioSink.

The only file that knows sounddevice and PortAudio, and imports them only when a device is
opened. The callbacks, which run in PortAudio's thread, only copy to and from preallocated
rings; everything else happens in the event loop.

A device is addressed by its name, never by its number, which changes when something is plugged
in. One that goes silent for half a second is opened again, under the same name only: sound
that stops is better than sound that comes out somewhere else.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from selftalk.stream.errors import DeviceError
from selftalk.stream.sound.audio import AudioChunk, Float32Array
from selftalk.stream.sound.io import CHUNK_MS, SAMPLE_RATE_HZ
from selftalk.stream.sound.playout import Playout
from selftalk.stream.sound.resample import LiveResampler
from selftalk.stream.sound.ring import SampleRing
from selftalk.stream.sound.sink import PlayoutSink

Kind = Literal["microphone", "speaker"]

BLOCKS_PER_SECOND = 100
LATENCY_SECONDS = 0.05
"""Asked of the sound card; less makes clicks when Python is late."""
RING_SECONDS = 5
POLL_SECONDS = 0.005
STALLED_SECONDS = 0.5
REOPEN_EVERY_SECONDS = 1.0
GIVE_UP_SECONDS = 15.0
INSTEAD = "or use files instead: --mic FILE.wav --speaker OUT.wav"


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device as the user knows it."""

    name: str
    host: str
    """The sound system it belongs to: ALSA, Core Audio, Windows WASAPI …"""
    kind: Kind
    sample_rate_hz: int
    is_default: bool


def list_devices() -> list[Device]:
    """All microphones and speakers.

    Raises:
        DeviceError: sounddevice or PortAudio is not installed.
    """
    sounddevice = _import_sounddevice()
    hosts = sounddevice.query_hostapis()
    found = []
    for index, entry in enumerate(sounddevice.query_devices()):
        for kind, channels, default in _KINDS:
            if entry[channels]:
                host = hosts[entry["hostapi"]]
                found.append(
                    Device(
                        name=entry["name"],
                        host=host["name"],
                        kind=kind,
                        sample_rate_hz=round(entry["default_samplerate"]),
                        is_default=index == _default_index(sounddevice, default),
                    )
                )
    return found


class Microphone:
    """An AudioSource that listens to a device."""

    ended = False

    def __init__(self, name: str | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        """Open a microphone by its name or a part of it, or the default one.

        Args:
            name: as the system calls it.
            sample_rate_hz: of the chunks: 16 kHz to be understood, more to be recorded.

        Raises:
            DeviceError: there is no such device, or it cannot be opened.
        """
        self._stream = _DeviceStream("microphone", name, self._capture, sample_rate_hz)
        self._rate_hz = sample_rate_hz
        self._ring = SampleRing(self._stream.sample_rate_hz * RING_SECONDS)
        self._resampler = LiveResampler(self._stream.sample_rate_hz, sample_rate_hz)
        self._waiting = np.zeros(0, np.float32)
        self._closed = False

    @property
    def name(self) -> str:
        """The device that is listened to."""
        return self._stream.device.name

    @property
    def xruns(self) -> int:
        """How often samples were lost, in the sound card or because nobody took them."""
        return self._stream.xruns + bool(self._ring.dropped_samples)

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield 20 ms at a time, silence while the device is away, until closed.

        Raises:
            DeviceError: the device went away and did not come back.
        """
        self._stream.start()
        while not self._closed:
            yield AudioChunk(await self._next_samples(), self._rate_hz)

    def close(self) -> None:
        """Stop listening."""
        self._closed = True
        self._stream.close()

    async def _next_samples(self) -> Float32Array:
        needed = self._rate_hz * CHUNK_MS // 1000
        silent_until = time.monotonic() + CHUNK_MS / 1000
        while len(self._waiting) < needed and not self._closed:
            fresh = self._resampler.push(self._ring.read())
            self._waiting = np.concatenate([self._waiting, fresh])
            if not len(fresh):
                await self._stream.watch()
            if self._stream.is_stalled and time.monotonic() >= silent_until:
                return np.zeros(needed, np.float32)
        samples, self._waiting = self._waiting[:needed], self._waiting[needed:]
        return np.pad(samples, (0, needed - len(samples)))

    def _capture(self, block: Float32Array) -> None:
        self._ring.write(block[:, 0])


class Speaker(PlayoutSink):
    """An AudioSink that plays to a device, at the device's own rate."""

    def __init__(self, name: str | None = None) -> None:
        """Open a speaker by its name or a part of it, or the default one.

        Raises:
            DeviceError: there is no such device, or it cannot be opened.
        """
        self._stream = _DeviceStream("speaker", name, self._render)
        rate_hz = self._stream.sample_rate_hz
        super().__init__(Playout(rate_hz), self._stream.watch)
        self._block = np.zeros(rate_hz // BLOCKS_PER_SECOND, np.float32)
        self._reference = SampleRing(rate_hz)
        self._to_reference = LiveResampler(rate_hz, SAMPLE_RATE_HZ)
        self._stream.start()
        self._playout.latency_samples = round(self._stream.latency_seconds * rate_hz)

    @property
    def name(self) -> str:
        """The device that is played to."""
        return self._stream.device.name

    @property
    def xruns(self) -> int:
        """How often the sound card did not get its samples in time."""
        return self._stream.xruns

    def take_reference(self) -> Float32Array:
        """Return the (T,) samples at 16 kHz sent to the sound card since the last call."""
        return self._to_reference.push(self._reference.read())

    def close(self) -> None:
        """Stop at once."""
        super().close()
        self._stream.close()

    def _render(self, out: Float32Array) -> None:
        block = self._block[: len(out)]
        self._playout.render(block)
        out[:] = block[:, None]
        self._reference.write(block)


class _DeviceStream:
    """One PortAudio stream that is opened again under the same name when it stalls."""

    def __init__(
        self, kind: Kind, name: str | None, on_block: Any, wanted_hz: int = SAMPLE_RATE_HZ
    ) -> None:
        self.xruns = 0
        self._kind: Kind = kind
        self._on_block = on_block
        self.device = _find_device(kind, name)
        self.sample_rate_hz = _supported_rate(self.device, wanted_hz)
        self._stream: Any = None
        self._last_block = 0.0
        self._last_attempt = 0.0

    @property
    def is_stalled(self) -> bool:
        """Whether the sound card asked for nothing for too long."""
        return time.monotonic() - self._last_block > STALLED_SECONDS

    @property
    def latency_seconds(self) -> float:
        """The time between a callback and the sound."""
        return float(self._stream.latency) if self._stream is not None else 0.0

    def start(self) -> None:
        """Open the stream and let it run.

        Raises:
            DeviceError: the device is gone or refuses.
        """
        sounddevice = _import_sounddevice()
        is_input = self._kind == "microphone"
        make = sounddevice.InputStream if is_input else sounddevice.OutputStream
        channels = 1 if is_input else min(2, _entry(self.device)["max_output_channels"])
        try:
            self._stream = make(
                device=_index(self.device),
                samplerate=self.sample_rate_hz,
                channels=channels,
                dtype="float32",
                blocksize=self.sample_rate_hz // BLOCKS_PER_SECOND,
                latency=LATENCY_SECONDS,
                callback=self._called,
            )
            self._stream.start()
        except sounddevice.PortAudioError as error:
            reason = str(error.args[0]) if error.args else "unknown reason"
            raise DeviceError(
                f"the {self._kind} '{self.device.name}' cannot be opened: {reason};"
                f" is another program using it? Choose another, {INSTEAD}"
            ) from error
        self._last_block = self._last_attempt = time.monotonic()
        _running.append(self)

    def close(self) -> None:
        """Stop the stream; it may be started again."""
        if self in _running:
            _running.remove(self)
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    async def watch(self) -> None:
        """Wait a moment; open the device again if it has stalled.

        Raises:
            DeviceError: it stayed away.
        """
        await asyncio.sleep(POLL_SECONDS)
        now = time.monotonic()
        if now - self._last_block > GIVE_UP_SECONDS:
            raise DeviceError(
                f"the {self._kind} '{self.device.name}' went away and did not come back;"
                f" plug it in and start again, {INSTEAD}"
            )
        if self.is_stalled and now - self._last_attempt > REOPEN_EVERY_SECONDS:
            self._last_attempt = now
            await asyncio.to_thread(_restart_streams)

    def _called(self, block: Float32Array, _frames: int, _time: Any, status: Any) -> None:
        """PortAudio's callback: nothing here may wait."""
        if status:
            self.xruns += 1
        self._on_block(block)
        self._last_block = time.monotonic()


_running: list[_DeviceStream] = []
_KINDS: tuple[tuple[Kind, str, int], ...] = (
    ("microphone", "max_input_channels", 0),
    ("speaker", "max_output_channels", 1),
)


def _restart_streams() -> None:
    """Let PortAudio look for devices afresh, which closes all streams, and open them again."""
    sounddevice = _import_sounddevice()
    streams = list(_running)
    waiting_since = {stream: stream._last_block for stream in streams}
    for stream in streams:
        stream.close()
    # PortAudio lists devices only when it starts; sounddevice has no public name for that.
    sounddevice._terminate()
    sounddevice._initialize()
    for stream in streams:
        try:
            stream.start()
        except DeviceError:
            _running.append(stream)  # to be tried again
        stream._last_block = waiting_since[stream]  # only a callback proves that it is back


def _import_sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise DeviceError(
            f"no sound without the package sounddevice: pip install 'selftalk[audio]', {INSTEAD}"
        ) from error
    except OSError as error:  # the package is there, the library it binds is not
        raise DeviceError(
            "no sound without the library PortAudio: on Debian or Ubuntu"
            f" 'apt install libportaudio2', {INSTEAD}"
        ) from error
    return sounddevice


def _find_device(kind: Kind, name: str | None) -> Device:
    """The device of this name, else the only one whose name contains it, else the default."""
    devices = [device for device in list_devices() if device.kind == kind]
    if not devices:
        raise DeviceError(f"no {kind} was found; plug one in, {INSTEAD}")
    if not name:
        return next((device for device in devices if device.is_default), devices[0])
    exact = [device for device in devices if device.name == name]
    similar = exact or [device for device in devices if name.lower() in device.name.lower()]
    if len(similar) == 1 or exact:
        return similar[0]
    problem = "is ambiguous" if similar else "does not exist"
    names = ", ".join(f"'{device.name}'" for device in similar or devices)
    raise DeviceError(f"the {kind} '{name}' {problem}; available: {names}")


def _supported_rate(device: Device, wanted_hz: int) -> int:
    """The wanted rate for a microphone that can, else the device's own."""
    if device.kind == "speaker":
        return device.sample_rate_hz
    sounddevice = _import_sounddevice()
    try:
        sounddevice.check_input_settings(
            device=_index(device), channels=1, dtype="float32", samplerate=wanted_hz
        )
    except (sounddevice.PortAudioError, ValueError):
        return device.sample_rate_hz
    return wanted_hz


def _index(device: Device) -> int:
    """Today's number of a device.

    Raises:
        DeviceError: it is not there now.
    """
    return int(_entry(device)["index"])


def _entry(device: Device) -> dict[str, Any]:
    sounddevice = _import_sounddevice()
    hosts = sounddevice.query_hostapis()
    channels = next(channels for kind, channels, _ in _KINDS if kind == device.kind)
    for index, entry in enumerate(sounddevice.query_devices()):
        host = hosts[entry["hostapi"]]["name"]
        if (entry["name"], host) == (device.name, device.host) and entry[channels]:
            return {**entry, "index": index}
    raise DeviceError(f"the {device.kind} '{device.name}' is gone; plug it in, {INSTEAD}")


def _default_index(sounddevice: Any, side: int) -> int:
    return int(sounddevice.default.device[side])
