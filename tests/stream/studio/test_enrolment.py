import fakes_studio as fakes
import numpy as np
import pytest

from selftalk.stream.errors import AudioFileError, VoiceError
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.studio.enrolment import (
    keep_voice,
    pitch_hz,
    speech_in,
    speech_of,
    zero_shot_voice,
)
from selftalk.stream.studio.recording import Recording, Slice
from selftalk.stream.studio.report import RecordingReport
from selftalk.stream.studio.take import Take
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder
from selftalk.stream.synthesis.voices import Voice

RATE = 16_000


class OneSpeaker:
    def embed(self, chunk):
        del chunk
        return np.array([0.6, 0.8], np.float32)


@pytest.fixture(scope="module")
def encoder():
    return SpeakerEncoder(default_bundle().graph_path("speaker"))


def buzz(hz, seconds):
    time = np.arange(round(seconds * RATE)) / RATE
    waves = sum(np.sin(2 * np.pi * hz * n * time) / n for n in range(1, 9))
    return AudioChunk((0.1 * waves).astype(np.float32), RATE)


def test_a_reader_becomes_a_voice(encoder):
    pieces = speech_of([fakes.clean_take("unless_to_be")])
    voice, speakers, own = zero_shot_voice("me", pieces, encoder, {"language": "en"})
    assert voice.speaker.shape == (256,)
    assert np.linalg.norm(voice.speaker) == pytest.approx(1)
    assert 90 < pitch_hz(voice) < 150
    assert voice.about["origin"] == "enrolled"
    assert "receipt" not in voice.about
    assert len(own) == len(pieces)
    assert not speakers.other_share


def test_pauses_are_cut_out_of_the_speech():
    take = fakes.clean_take("unless_to_be")
    seconds = sum(piece.duration_seconds for piece in speech_of([take]))
    assert seconds == pytest.approx(take.speech_seconds, abs=0.01)


def test_less_than_three_seconds_are_too_little():
    take = Take("short", buzz(120, 4), ((0, 2 * RATE),))
    with pytest.raises(AudioFileError, match=r"2\.0 s of speech"):
        speech_of([take])


def test_long_speech_is_compared_piece_by_piece():
    take = Take("long", buzz(120, 20), ((0, 20 * RATE),))
    lengths = [piece.duration_seconds for piece in speech_of([take])]
    assert len(lengths) == 3
    assert sum(lengths) == pytest.approx(20)


def test_a_whisper_is_no_voice():
    noise = np.random.default_rng(0).standard_normal(5 * RATE).astype(np.float32) * 0.1
    with pytest.raises(VoiceError, match="whispering"):
        zero_shot_voice("me", [AudioChunk(noise, RATE)], OneSpeaker(), {})


def test_a_timbre_is_heard_by_a_model_that_can():
    told = []

    def hear(recording):
        told.append(recording)
        return np.ones(128, np.float32)

    pieces = [buzz(120, 3), AudioChunk(buzz(120, 3).samples[::2].copy(), RATE // 2)]
    voice, _, _ = zero_shot_voice("me", pieces, OneSpeaker(), {}, hear)
    assert told[0].duration_seconds == pytest.approx(6)
    assert voice.timbre.tolist() == [1] * 128
    assert zero_shot_voice("me", pieces, OneSpeaker(), {})[0].timbre is None


def test_a_style_is_that_of_its_references():
    slices = tuple(Slice(buzz(hz, 3).samples, RATE) for hz in (110, 120, 200))
    report = RecordingReport((), 9, 9)
    recording = Recording("me", "en", slices, report, {"neutral": (0, 1), "lively": (2,)})
    assert len(speech_in(recording)) == 3
    (lively,) = speech_in(recording, "lively")
    voice, _, _ = zero_shot_voice("me", [lively], OneSpeaker(), {})
    assert pitch_hz(voice) == pytest.approx(200, rel=0.02)
    with pytest.raises(VoiceError, match="no tired reference; it has neutral, lively"):
        speech_in(recording, "tired")


def test_a_voice_is_kept_among_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))
    path = keep_voice(Voice("me", np.ones(4, np.float32) / 2, 5.0, {"origin": "enrolled"}))
    assert path == tmp_path / "voices/me.voice"
    assert Voice.load(path).mean_log_pitch == 5.0
