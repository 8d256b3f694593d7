import asyncio
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from selftalk.stream.errors import DeviceError
from selftalk.stream.sound import devices
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.devices import Microphone, Speaker, list_devices


class FakeStream:
    """A PortAudio stream whose blocks the test pushes itself."""

    latency = 0.0

    def __init__(self, sound, **settings):
        if sound.broken:
            raise sound.PortAudioError("Device unavailable")
        self.settings = settings
        self.running = False
        sound.streams.append(self)

    def start(self):
        self.running = True

    def abort(self, ignore_errors):
        self.running = False

    def close(self, ignore_errors):
        self.running = False

    def block(self, samples=None, status=False):
        """Run the callback once; returns what it played."""
        count = self.settings["blocksize"]
        shape = (count, self.settings["channels"])
        buffer = np.zeros(shape, np.float32) if samples is None else samples[:, None]
        self.settings["callback"](buffer, count, None, status)
        return buffer[:, 0].copy()


class FakeSound:
    """The parts of sounddevice that are used."""

    class PortAudioError(Exception):
        pass

    def __init__(self):
        self.devices = [
            self.device("Webcam", inputs=1),
            self.device("Headset", inputs=1, outputs=2, rate=48_000),
            self.device("Loudspeaker", outputs=2, rate=48_000),
        ]
        self.default = SimpleNamespace(device=(1, 2))
        self.broken = False
        self.refuses_16_khz = False
        self.restarts = 0
        self.streams = []

    @staticmethod
    def device(name, inputs=0, outputs=0, rate=16_000):
        return {
            "name": name,
            "hostapi": 0,
            "max_input_channels": inputs,
            "max_output_channels": outputs,
            "default_samplerate": float(rate),
        }

    def query_hostapis(self):
        return [{"name": "ALSA"}]

    def query_devices(self):
        return self.devices

    def check_input_settings(self, **_settings):
        if self.refuses_16_khz:
            raise self.PortAudioError("Invalid sample rate")

    def InputStream(self, **settings):  # noqa: N802
        return FakeStream(self, **settings)

    OutputStream = InputStream

    def _terminate(self):
        self.restarts += 1

    def _initialize(self):
        pass


@pytest.fixture
def sound(monkeypatch):
    fake = FakeSound()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(devices, "_running", [])
    monkeypatch.setattr(devices, "STALLED_SECONDS", 60.0)  # a busy machine is no stalled device
    return fake


def test_devices_are_listed_by_name(sound):
    names = [(device.name, device.kind, device.is_default) for device in list_devices()]
    assert names == [
        ("Webcam", "microphone", False),
        ("Headset", "microphone", True),
        ("Headset", "speaker", False),
        ("Loudspeaker", "speaker", True),
    ]


def test_without_sounddevice_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(DeviceError, match=r"pip install 'selftalk\[audio\]'"):
        list_devices()


def test_without_portaudio_the_way_out_is_told(monkeypatch):
    class NoLibrary:
        def find_spec(self, name, _path, _target=None):
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoLibrary(), *sys.meta_path])
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        Microphone()


def test_without_a_device_the_way_out_is_told(sound):
    sound.devices = []
    with pytest.raises(DeviceError, match=r"no microphone was found.*--mic FILE\.wav"):
        Microphone()


@pytest.mark.parametrize(
    ("name", "found"),
    [(None, "Headset"), ("", "Headset"), ("web", "Webcam"), ("Headset", "Headset")],
)
def test_a_device_is_chosen_by_its_name_or_a_part_of_it(sound, name, found):
    assert Microphone(name).name == found


@pytest.mark.parametrize(
    ("name", "problem"), [("Piano", "does not exist; available: 'Webcam'"), ("e", "is ambiguous")]
)
def test_a_wrong_name_is_answered_with_the_right_ones(sound, name, problem):
    with pytest.raises(DeviceError, match=problem):
        Microphone(name)


def test_a_device_in_use_is_told_apart(sound):
    sound.broken = True
    with pytest.raises(DeviceError, match="'Loudspeaker' cannot be opened: Device unavailable"):
        Speaker()


async def take(microphone, count, feed):
    """Take chunks while blocks are fed as a sound card would."""
    taken = []

    async def run():
        while True:
            feed()
            await asyncio.sleep(0)

    feeder = asyncio.create_task(run())
    async for chunk in microphone.chunks():
        taken.append(chunk)
        if len(taken) == count:
            microphone.close()
    feeder.cancel()
    return taken


@pytest.mark.parametrize("refuses", [False, True])
def test_the_microphone_yields_20_ms_at_16_khz_whatever_the_device(sound, refuses):
    sound.refuses_16_khz = refuses
    rate = 48_000 if refuses else 16_000
    wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    microphone = Microphone()
    blocks = iter(wave.reshape(100, -1))

    def feed():
        if sound.streams:
            block = next(blocks, None)
            sound.streams[0].block(np.zeros(rate // 100, np.float32) if block is None else block)

    chunks = asyncio.run(take(microphone, 10, feed))
    assert {(len(chunk), chunk.sample_rate_hz) for chunk in chunks} == {(320, 16_000)}
    heard = np.concatenate([chunk.samples for chunk in chunks])
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(3200) / 16_000)
    np.testing.assert_allclose(heard[200:], expected[200:], atol=2e-3)
    assert not sound.streams[0].running


def test_lost_samples_are_counted(sound):
    microphone = Microphone()
    asyncio.run(take(microphone, 2, lambda: [s.block(status=True) for s in sound.streams]))
    assert microphone.xruns > 0


def test_a_stalled_microphone_is_opened_again_and_time_goes_on(sound, monkeypatch):
    monkeypatch.setattr(devices, "STALLED_SECONDS", 0.02)
    monkeypatch.setattr(devices, "REOPEN_EVERY_SECONDS", 0.02)
    microphone = Microphone("Webcam")
    chunks = asyncio.run(take(microphone, 5, lambda: None))
    assert all(not chunk.samples.any() for chunk in chunks)
    assert sound.restarts > 0
    assert sound.streams[-1].settings["device"] == 0


def test_a_microphone_is_found_again_under_its_name_only(sound, monkeypatch):
    monkeypatch.setattr(devices, "STALLED_SECONDS", 0.02)
    monkeypatch.setattr(devices, "REOPEN_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(devices, "GIVE_UP_SECONDS", 0.2)
    microphone = Microphone("Webcam")

    def unplug():
        if sound.streams:
            sound.devices = sound.devices[1:]  # every number shifts
            del sound.streams[:]

    with pytest.raises(DeviceError, match="'Webcam' went away and did not come back"):
        asyncio.run(take(microphone, 1000, unplug))
    assert sound.streams == []


def test_the_speaker_plays_to_all_channels_at_the_rate_of_the_device(sound):
    speaker = Speaker()
    stream = sound.streams[0]
    assert (stream.settings["samplerate"], stream.settings["channels"]) == (48_000, 2)
    samples = np.full(480, 0.5, np.float32)
    assert asyncio.run(speaker.play(AudioChunk(samples, 48_000), 1))
    np.testing.assert_array_equal(stream.block(), samples)
    assert speaker.played_samples(1) == 480
    assert not stream.block().any()


def test_the_reference_is_what_the_sound_card_got(sound):
    speaker = Speaker()
    rate = 48_000
    wave = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate // 10) / rate)).astype(np.float32)
    asyncio.run(speaker.play(AudioChunk(wave, rate), 1))
    for _ in range(10):
        sound.streams[0].block()
    reference = speaker.take_reference()
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(1600) / 16_000)
    assert 1600 - 20 < len(reference) <= 1600
    np.testing.assert_allclose(reference[100:1500], expected[100:1500], atol=2e-3)


def test_closing_the_speaker_releases_whoever_waits(sound):
    speaker = Speaker()
    chunk = AudioChunk(np.ones(48_000, np.float32), 48_000)

    async def run():
        waiting = asyncio.gather(*(speaker.play(chunk, 1) for _ in range(4)))
        await asyncio.sleep(0.02)
        speaker.close()
        return await waiting

    assert asyncio.run(run())[-1] is False
    assert not sound.streams[0].running


@pytest.mark.device
def test_a_real_sound_card_plays_and_listens_in_real_time():
    async def run():
        microphone, speaker = Microphone(), Speaker()
        samples = np.zeros(16_000, np.float32)
        started = time.monotonic()
        writer = asyncio.create_task(speaker.play(AudioChunk(samples, 16_000), 1))
        count = 0
        async for _ in microphone.chunks():
            count += 1
            if count == 50:
                microphone.close()
        await writer
        assert await speaker.finish(1)
        elapsed = time.monotonic() - started
        reference = speaker.take_reference()
        speaker.close()
        return elapsed, len(reference), speaker.played_samples(1)

    elapsed, reference, played = asyncio.run(run())
    assert elapsed > 0.9
    assert reference > 12_000
    assert played == 16_000
