import fakes_studio as fakes
import numpy as np
import pytest
import soundfile

from selftalk.stream.errors import AudioFileError
from selftalk.stream.sound import any_audio
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.studio import take as take_module
from selftalk.stream.studio.take import (
    HIGHEST_RATE_HZ,
    find_files,
    find_speech,
    read_any_audio,
    read_take,
    take_of,
)


class LoudnessVad:
    """Hears speech in whatever is loud."""

    frame_samples = 512

    def push(self, frame):
        return float(np.abs(frame).max() > 0.1)

    def reset(self):
        pass


def sound(*seconds, rate=16_000):
    """Seconds of a tone where positive, of silence where negative."""
    parts = [
        (0.5 if length > 0 else 0) * np.sin(np.arange(round(abs(length) * rate)) * 0.3)
        for length in seconds
    ]
    return AudioChunk(np.concatenate(parts).astype(np.float32), rate)


def regions_of(audio):
    return [
        (start / audio.sample_rate_hz, end / audio.sample_rate_hz)
        for start, end in find_speech(audio, LoudnessVad())
    ]


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_speech_is_found_at_any_rate(rate):
    first, second = regions_of(sound(-1, 2, -1, 1.5, -1, rate=rate))
    assert first == pytest.approx((1, 3), abs=0.12)
    assert second == pytest.approx((4, 5.5), abs=0.12)


def test_short_gaps_are_part_of_the_speech():
    assert len(regions_of(sound(-0.5, 1, -0.15, 1, -0.5))) == 1


def test_speech_may_touch_both_ends():
    ((start, end),) = regions_of(sound(2))
    assert (start, end) == pytest.approx((0, 2), abs=0.05)


def test_what_is_too_short_is_no_speech():
    assert regions_of(sound(-1, 0.1, -1)) == []


def test_the_samples_of_speech_are_marked():
    take = take_of("one", sound(-1, 2, -1, rate=44_100), LoudnessVad())
    assert take.is_speech.sum() / 16_000 == pytest.approx(take.speech_seconds, abs=0.01)
    assert take.speech_seconds == pytest.approx(2.1, abs=0.1)
    assert take.speech_dbfs == pytest.approx(-9, abs=0.5)


def test_what_was_recorded_above_48_khz_is_brought_down():
    assert take_of("high", sound(1, rate=96_000), LoudnessVad()).audio.sample_rate_hz == (
        HIGHEST_RATE_HZ
    )


def test_a_constant_of_the_sound_card_is_taken_away():
    plain = sound(-1, 2, -1)
    shifted = take_of("one", AudioChunk(plain.samples + 0.3, 16_000), LoudnessVad())
    np.testing.assert_allclose(
        shifted.audio.samples, take_of("one", plain, LoudnessVad()).audio.samples, atol=1e-6
    )
    assert len(shifted.regions) == 1


def test_folders_are_searched(tmp_path):
    (tmp_path / "inner").mkdir()
    for name in ("b.wav", "a.FLAC", "inner/c.m4a", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in find_files([tmp_path])] == ["a.FLAC", "b.wav", "c.m4a"]


@pytest.mark.parametrize("name", ["no.wav", "."])
def test_no_audio_is_one_sentence(name, tmp_path):
    with pytest.raises(AudioFileError, match=r"does not exist|no audio file"):
        find_files([tmp_path / name])


def test_a_file_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(take_module, "LONGEST_SECONDS", 2)
    soundfile.write(tmp_path / "long.wav", sound(3).samples, 16_000)
    with pytest.raises(AudioFileError, match="minutes long"):
        read_take(tmp_path / "long.wav", LoudnessVad())


@pytest.mark.parametrize("content", [b"", b"no sound at all"])
def test_a_broken_file_is_one_sentence(tmp_path, content):
    (tmp_path / "bad.m4a").write_bytes(content)
    with pytest.raises(AudioFileError, match="not a readable audio file"):
        read_any_audio(tmp_path / "bad.m4a")


def test_without_pyav_what_to_install_is_said(tmp_path, monkeypatch):
    (tmp_path / "memo.m4a").write_bytes(b"unknown")
    monkeypatch.setattr(any_audio, "find_spec", lambda _: None)
    with pytest.raises(AudioFileError, match=r"pip install 'selftalk\[studio\]'"):
        read_any_audio(tmp_path / "memo.m4a")


def test_telephones_record_m4a(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "memo.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=44_100, layout="mono")
        samples = sound(2, rate=44_100).samples
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.rate = 44_100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    audio = read_any_audio(tmp_path / "memo.m4a")
    assert audio.sample_rate_hz == 44_100
    assert audio.duration_seconds == pytest.approx(2, abs=0.1)
    assert audio.samples.std() == pytest.approx(0.35, abs=0.03)


def test_recordings_of_people_hold_speech():
    for name in fakes.CLEAN:
        take = fakes.clean_take(name)
        assert 0.5 < take.speech_seconds / take.seconds <= 1
