import os

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.errors import AudioFileError
from selftalk.stream.sound.audio import (
    AudioChunk,
    FrameBuffer,
    concat,
    from_int16,
    level_dbfs,
    read_audio,
    to_int16,
    write_atomically,
    write_wav,
)


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 16))
def test_frame_buffer_chunked_equals_whole(lengths, frame_samples):
    whole = np.arange(sum(lengths), dtype=np.float32)
    buffer = FrameBuffer(frame_samples)
    frames, position = [], 0
    for length in lengths:
        frames += buffer.push(whole[position : position + length])
        position += length
    assert all(len(frame) == frame_samples for frame in frames)
    np.testing.assert_array_equal(np.concatenate([*frames, buffer.flush()]), whole)


def test_frame_buffer_reset_forgets_the_rest():
    buffer = FrameBuffer(4)
    buffer.push(np.ones(3, np.float32))
    buffer.reset()
    assert len(buffer.flush()) == 0


def test_int16_saturates_and_never_wraps():
    loud = np.array([2.0, 1.0, -1.0, -7.5, np.nan, np.inf, -np.inf], np.float32)
    expected = [32767, 32767, -32767, -32767, 0, 32767, -32767]
    np.testing.assert_array_equal(to_int16(loud), expected)


def test_int16_round_trip():
    samples = np.linspace(-1, 1, 999, dtype=np.float32)
    np.testing.assert_allclose(from_int16(to_int16(samples)), samples, atol=1 / 32767)


def test_level_of_full_scale_sine_and_silence():
    sine = np.sin(np.arange(16000) * 2 * np.pi * 100 / 16000).astype(np.float32)
    assert level_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(np.zeros(10, np.float32)) == -120
    assert level_dbfs(np.zeros(0, np.float32)) == -120


def test_wav_round_trip(tmp_path):
    chunk = AudioChunk(np.linspace(-0.5, 0.5, 100, dtype=np.float32), 24000)
    write_wav(tmp_path / "a.wav", chunk)
    read = read_audio(tmp_path / "a.wav")
    assert read.sample_rate_hz == 24000
    np.testing.assert_allclose(read.samples, chunk.samples, atol=1e-4)


def test_stereo_is_mixed_down(tmp_path):
    stereo = np.stack([np.full(80, 0.5), np.full(80, -0.1)], axis=1)
    soundfile.write(tmp_path / "s.wav", stereo, 8000)
    chunk = read_audio(tmp_path / "s.wav")
    assert chunk.sample_rate_hz == 8000
    np.testing.assert_allclose(chunk.samples, np.full(80, 0.2), atol=1e-3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "does not exist"), (b"", "not a readable"), (b"RIFFgarbage", "not a readable")],
)
def test_bad_files_are_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioFileError, match=sentence):
        read_audio(path)


def test_file_without_samples(tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    with pytest.raises(AudioFileError, match="no samples"):
        read_audio(tmp_path / "empty.wav")


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "kept.txt"
    path.write_bytes(b"old")

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_write_into_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(AudioFileError, match="cannot write"):
        write_wav(tmp_path / "no" / "a.wav", AudioChunk(np.zeros(1, np.float32), 8000))


def test_concat_of_nothing_is_silence_of_no_length():
    assert len(concat([], 24000)) == 0


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_new_files_are_private_unless_they_are_sound_and_old_ones_keep_their_mode(tmp_path):
    umask = os.umask(0o022)
    try:
        write_atomically(tmp_path / "secret", b"new")
        write_wav(tmp_path / "hello.wav", AudioChunk(np.zeros(10, np.float32), 16_000))
    finally:
        os.umask(umask)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"secret": 0o600, "hello.wav": 0o644}
    write_atomically(tmp_path / "hello.wav", b"marked")
    assert (tmp_path / "hello.wav").stat().st_mode & 0o777 == 0o644
