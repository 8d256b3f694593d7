import io
import threading

import numpy as np
import pytest
import soundfile

from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.errors import AudioFileError
from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.listening.transcription import (
    CUTTING,
    LONGEST_PIECE_MS,
    transcribe,
    transcribe_file,
)
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.files import Recording
from selftalk.stream.stop import StopFlag, Stopped

RATE = 16_000


class LoudnessVad:
    """Hears speech in whatever is loud."""

    sample_rate_hz = RATE
    frame_samples = 512

    def push(self, frame):
        return float(np.abs(frame).max() > 0.1)

    def reset(self):
        pass


class LengthRecognizer:
    """Writes down how long it heard something loud."""

    suits_partials = True

    def transcribe(self, chunk, language=None, stop=None):
        assert isinstance(chunk, AudioChunk)
        loud = np.flatnonzero(np.abs(chunk.samples) > 0.1)
        seconds = (loud[-1] - loud[0]) / chunk.sample_rate_hz
        return Transcript(f"{seconds:.1f} s in {language}", language)


def write(path, *parts, rate=RATE):
    """Seconds of noise where positive, of silence where negative."""
    noise = np.random.default_rng(0)
    pieces = [
        noise.uniform(0.3, 0.5, int(abs(part) * rate)) * (1 if part > 0 else 0) for part in parts
    ]
    signs = np.where(np.arange(sum(map(len, pieces))) % 2, 1, -1)
    soundfile.write(path, np.concatenate(pieces) * signs, rate)
    return path


def heard(path):
    return list(transcribe_file(path, LengthRecognizer(), LoudnessVad(), "en"))


def test_a_recording_is_cut_at_its_pauses(tmp_path):
    segments = heard(write(tmp_path / "two.wav", -1.0, 1.5, -2.0, 0.8, -1.0))
    assert [segment.text for segment in segments] == ["1.5 s in en", "0.8 s in en"]
    assert segments[0].start_seconds == pytest.approx(1.0, abs=0.5)
    assert segments[0].end_seconds == pytest.approx(2.5, abs=0.2)
    assert segments[1].start_seconds == pytest.approx(4.5, abs=0.5)


def test_speech_that_is_cut_off_by_the_end_counts(tmp_path):
    assert [segment.text for segment in heard(write(tmp_path / "one.wav", 1.0))] == ["1.0 s in en"]


def test_speech_without_pauses_is_cut_at_a_bound(tmp_path):
    segments = heard(write(tmp_path / "long.wav", 60.0))
    longest = max(segment.end_seconds - segment.start_seconds for segment in segments)
    assert len(segments) == 3
    assert longest <= LONGEST_PIECE_MS / 1000 + 0.5


def test_silence_says_nothing(tmp_path):
    assert heard(write(tmp_path / "silent.wav", -3.0)) == []


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(AudioFileError, match="does not exist"):
        heard(tmp_path / "no.wav")


def test_a_file_that_is_open_already_says_the_same_and_how_much_was_read(tmp_path):
    path = write(tmp_path / "one.wav", -1.0, 1.5, -0.5, rate=44_100)
    recording = Recording(io.BytesIO(path.read_bytes()))
    detector = TurnDetector(LoudnessVad(), CUTTING)
    assert list(transcribe(recording, LengthRecognizer(), detector, "en")) == heard(path)
    assert recording.read_seconds == pytest.approx(3.0, abs=0.01)


def test_a_set_flag_ends_it_within_a_second_of_sound(tmp_path):
    recording, stop = Recording(write(tmp_path / "long.wav", 1.0, -2.0, 1.0, -30.0)), StopFlag()
    detector = TurnDetector(LoudnessVad(), CUTTING)
    segments = transcribe(recording, LengthRecognizer(), detector, "en", stop=stop)
    next(segments)
    stop.set()
    with pytest.raises(Stopped):
        next(segments)
    assert recording.read_seconds < 5


def test_the_recogniser_is_used_under_the_lock_and_the_lock_is_let_go_between(tmp_path):
    lock = threading.Lock()

    class Careful(LengthRecognizer):
        def transcribe(self, chunk, language=None, stop=None):
            assert lock.locked()
            return super().transcribe(chunk, language, stop)

    recording = Recording(write(tmp_path / "two.wav", 1.5, -2.0, 0.8, -1.0))
    detector = TurnDetector(LoudnessVad(), CUTTING)
    states = [lock.locked() for _ in transcribe(recording, Careful(), detector, recognizing=lock)]
    assert states == [False, False]
