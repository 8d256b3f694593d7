import asyncio
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from selftalk.stream.echo.room import EchoRoom, Room
from selftalk.stream.errors import AudioFileError
from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.sound.clock import SampleClock
from selftalk.stream.sound.files import FileMicrophone, FileSpeaker, Recording

ROOT = Path(__file__).parents[3]
QUESTION = ROOT / "configs/recordings/go_somewhere.flac"


def tone(milliseconds, rate_hz, level=0.5):
    time = np.arange(rate_hz * milliseconds // 1000) / rate_hz
    return AudioChunk((level * np.sin(2 * np.pi * 440 * time)).astype(np.float32), rate_hz)


async def listen(microphone, chunks):
    heard = []
    async for chunk in microphone.chunks():
        heard.append(chunk.samples)
        if len(heard) == chunks:
            microphone.close()
    return np.concatenate(heard)


def test_a_recording_is_yielded_whole_then_silence():
    clock = SampleClock(fast=True)
    microphone = FileMicrophone(QUESTION, clock)
    recording = read_audio(QUESTION).samples
    heard = asyncio.run(listen(microphone, 160))
    np.testing.assert_array_equal(heard[: len(recording)], recording)
    assert heard[len(recording) :].max() == 0
    assert clock.position_samples == len(heard) == 160 * 320


def test_a_stereo_file_of_another_rate_becomes_16_khz_mono(tmp_path):
    path = tmp_path / "telephone.wav"
    samples = tone(500, 8000).samples
    soundfile.write(path, np.stack([samples, samples], axis=1), 8000)
    recording = Recording(path)
    heard = np.concatenate([recording.read(320) for _ in range(30)])
    assert len(heard) == 8000
    assert recording.ended
    np.testing.assert_allclose(heard[1000:7000], tone(500, 16_000).samples[1000:7000], atol=2e-3)


def test_further_recordings_wait_for_their_cue():
    clock = SampleClock(fast=True)
    microphone = FileMicrophone([QUESTION, QUESTION], clock)

    async def run():
        ended = []
        count = 0
        async for _ in microphone.chunks():
            count += 1
            if count == 10:
                microphone.cue()  # too early: the first one is still heard
            ended.append(microphone.ended)
            if count == 200:
                assert microphone.resting
                microphone.cue()
                assert not microphone.resting
            if count == 400:
                microphone.close()
        return ended

    ended = asyncio.run(run())
    assert ended.index(True) == 200 + 150 - 1


@pytest.mark.parametrize("content", [None, b"", b"no sound at all", "empty"])
def test_what_is_no_recording_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "bad.wav"
    if content == "empty":
        soundfile.write(path, np.zeros(0, np.float32), 16_000)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioFileError, match=r"bad\.wav"):
        FileMicrophone(path, SampleClock(fast=True))


def play(speaker, clock, *chunks, generation=1):
    """Play chunks to the end of what is heard, time running freely."""

    async def run():
        async def pass_time():
            while True:
                await clock.advance(320)

        time = asyncio.create_task(pass_time())
        for chunk in chunks:
            await speaker.play(chunk, generation)
        finished = await speaker.finish(generation)
        time.cancel()
        return finished

    return asyncio.run(run())


def test_the_speaker_writes_what_was_heard_without_the_silence_around_it(tmp_path):
    clock = SampleClock(fast=True)
    speaker = FileSpeaker(tmp_path / "reply.wav", clock)
    chunk = tone(1000, 32_000)
    assert play(speaker, clock, *[chunk] * 5)  # longer than the queue
    assert speaker.played_samples(1) == 5 * 32_000
    assert speaker.queued_samples(1) == 0
    assert not (tmp_path / "reply.wav").exists()
    speaker.close()
    speaker.close()
    written = read_audio(tmp_path / "reply.wav")
    assert written.sample_rate_hz == 32_000
    assert len(written) == pytest.approx(5 * 32_000, abs=640)
    np.testing.assert_allclose(written.samples[: 32_000 - 1], chunk.samples[:-1], atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["reply.wav"]


@pytest.mark.parametrize("rate_hz", [24_000, 22_050, 48_000])
def test_chunks_of_any_rate_are_counted_at_their_own(rate_hz):
    clock = SampleClock(fast=True)
    speaker = FileSpeaker(None, clock)
    assert play(speaker, clock, tone(500, rate_hz), tone(500, rate_hz))
    assert speaker.played_samples(1) == 2 * (rate_hz * 500 // 1000)


def test_a_speaker_that_played_nothing_leaves_no_file(tmp_path):
    speaker = FileSpeaker(tmp_path / "reply.wav", SampleClock(fast=True))
    speaker.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize(("old", "new"), [(None, 0o644), (0o600, 0o600)])
def test_the_file_has_the_mode_of_the_umask_or_of_the_file_before_it(tmp_path, old, new):
    path, clock = tmp_path / "reply.wav", SampleClock(fast=True)
    if old is not None:
        path.touch(old)
    umask = os.umask(0o022)
    try:
        speaker = FileSpeaker(path, clock)
        play(speaker, clock, tone(100, 32_000))
        speaker.close()
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == new


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(AudioFileError, match="nowhere"):
        FileSpeaker(tmp_path / "nowhere" / "reply.wav", SampleClock())


def test_a_barge_in_stops_within_the_fade_and_refuses_the_rest(tmp_path):
    clock = SampleClock(fast=True)
    speaker = FileSpeaker(tmp_path / "reply.wav", clock)

    async def run():
        writer = asyncio.create_task(speaker.play(tone(5000, 32_000), 7))
        for _ in range(50):  # one second
            await clock.advance(320)
        heard = speaker.clear(7)
        late = await asyncio.gather(writer, speaker.play(tone(20, 32_000), 7), speaker.finish(7))
        for _ in range(50):
            await clock.advance(320)
        return heard, late

    heard, late = asyncio.run(run())
    speaker.close()
    assert late == [False, False, False]
    assert heard == speaker.played_samples(7) == 32_000 + 640
    assert len(read_audio(tmp_path / "reply.wav")) <= heard


def test_the_reference_is_what_was_played_silence_included():
    clock = SampleClock(fast=True)
    speaker = FileSpeaker(None, clock, sample_rate_hz=16_000)

    async def run():
        await clock.advance(320)
        await speaker.play(AudioChunk(np.ones(400, np.float32), 16_000), 1)
        await clock.advance(320)
        await clock.advance(320)
        return speaker.take_reference()

    reference = asyncio.run(run())
    assert len(reference) == 960
    assert reference[:320].max() == 0
    assert reference[320:720].min() == 1
    assert reference[720:].max() == 0
    assert len(speaker.take_reference()) == 0


def test_the_microphone_hears_the_speaker_through_the_room():
    clock, room = SampleClock(fast=True), EchoRoom(Room(gain=0.5, delay_ms=20))
    microphone = FileMicrophone(QUESTION, clock, room)
    speaker = FileSpeaker(None, clock, sample_rate_hz=16_000, room=room)

    async def run():
        await speaker.play(tone(500, 16_000), 1)
        return await listen(microphone, 25)

    heard = asyncio.run(run())
    echo = heard - read_audio(QUESTION).samples[: len(heard)]
    assert np.abs(echo[:320]).max() < 1e-6
    assert np.abs(echo[640:]).max() > 0.1


def test_the_same_conversation_is_the_same_every_time():
    def once():
        clock, room = SampleClock(fast=True), EchoRoom()
        microphone = FileMicrophone(QUESTION, clock, room)
        speaker = FileSpeaker(None, clock, room=room)

        async def run():
            async with asyncio.TaskGroup() as group:
                group.create_task(speaker.play(tone(300, 24_000), 1))
                return await group.create_task(listen(microphone, 50))

        return asyncio.run(run())

    np.testing.assert_array_equal(once(), once())


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_recording_read_in_pieces_is_the_whole(tmp_path, suffix, capfd):
    path = tmp_path / f"long.{suffix}"
    loud_and_quiet = np.random.default_rng(0).standard_normal(80_000) * np.geomspace(
        1e-4, 0.3, 80_000
    )
    soundfile.write(path, loud_and_quiet, 16_000)
    whole, _ = soundfile.read(path, dtype="float32")
    recording, pieces = Recording(path), []
    while not recording.ended:
        pieces.append(recording.read(7_000))
    recording.close()
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)
    assert capfd.readouterr().err == ""  # libmpg123 complains when it is made to seek
