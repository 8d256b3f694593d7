from pathlib import Path

import numpy as np
import pytest
import soundfile

from selftalk.stream.dialogue.events import SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from selftalk.stream.dialogue.turns import TurnDetector
from selftalk.stream.errors import ConfigError
from selftalk.stream.fetching.weights import resolve
from selftalk.stream.listening.vad import SileroVad, WebRtcVad, load_vad
from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.sound.resample import resample

ROOT = Path(__file__).parents[3]
SENTENCE = "tests/data/not_ill_disposed.flac"  # "He was not an ill-disposed | young man."
# 2.99 s of which 0.22 to 2.85 s are speech, with a hesitation of 60 ms at 1.1 s
SECOND = "tests/data/amiable_himself.flac"
QUESTION = "configs/recordings/go_somewhere.flac"

KINDS = [pytest.param("silero", marks=pytest.mark.weights), "webrtc"]


@pytest.fixture(params=KINDS)
def vad(request):
    return SileroVad(resolve("silero-vad")) if request.param == "silero" else WebRtcVad()


def recording(name):
    return read_audio(ROOT / name).samples


def silence(milliseconds):
    """A quiet room: noise at -80 dBFS."""
    noise = np.random.default_rng(0).standard_normal(16 * milliseconds)
    return (noise * 1e-4).astype(np.float32)


def turns(vad, *parts):
    detector = TurnDetector(vad)
    chunk = AudioChunk(np.concatenate(parts), 16_000)
    return [*detector.push(chunk), *detector.flush()]


def without_pauses(events):
    return [event for event in events if not isinstance(event, SpeechPaused | SpeechResumed)]


def test_a_word_is_told_from_a_quiet_room(vad):
    samples = np.concatenate([silence(500), recording(SENTENCE)])
    frames = samples[: len(samples) // vad.frame_samples * vad.frame_samples]
    frames = frames.reshape(-1, vad.frame_samples)
    probabilities = np.array([vad.push(frame) for frame in frames])
    times = np.arange(len(frames)) * vad.frame_samples / 16_000
    assert probabilities[(times > 0.2) & (times < 0.5)].max() < 0.3
    assert probabilities[(times > 0.9) & (times < 1.4)].mean() > 0.8


def test_reset_makes_the_same_stream_sound_the_same(vad):
    frames = recording(SENTENCE)[: vad.frame_samples * 40].reshape(40, -1)
    first = [vad.push(frame) for frame in frames]
    vad.reset()
    assert [vad.push(frame) for frame in frames] == first


def test_long_leading_silence_starts_no_turn(vad):
    events = turns(vad, silence(20_000), recording(SENTENCE), silence(2000))
    started, ended = without_pauses(events)
    assert isinstance(started, SpeechStarted)
    assert 20_100 < started.at_samples / 16 < 20_500
    assert isinstance(ended, SpeechEnded)
    assert 22_600 < ended.at_samples / 16 < 23_100


def test_two_utterances_are_two_turns(vad):
    events = turns(vad, recording(SENTENCE), silence(2500), recording(SECOND), silence(2500))
    kinds = [type(event) for event in without_pauses(events)]
    assert kinds == [SpeechStarted, SpeechEnded] * 2


def test_a_pause_inside_the_sentence_does_not_end_the_turn(vad):
    sentence = recording(SENTENCE)
    cut = int(1.13 * 16_000)  # between "disposed" and "young"
    events = turns(vad, sentence[:cut], silence(400), sentence[cut:], silence(2000))
    assert any(isinstance(event, SpeechResumed) for event in events)
    (started, ended) = without_pauses(events)
    assert ended.at_samples - started.at_samples > 16 * 2600


def test_speech_at_the_very_first_sample_is_heard_from_there(vad):
    speech = recording(SENTENCE)[int(0.25 * 16_000) :]
    started, ended = without_pauses(turns(vad, speech, silence(2000)))
    assert started.at_samples < 16 * 300  # no later than the pre-roll reaches back
    np.testing.assert_array_equal(ended.audio.samples[:16_000], speech[:16_000])


def test_a_stereo_telephone_recording_is_heard_as_well(vad, tmp_path):
    telephone = resample(recording(QUESTION), 16_000, 8_000)
    path = tmp_path / "telephone.wav"
    soundfile.write(path, np.stack([telephone, 0.5 * telephone], axis=1), 8_000)
    chunk = read_audio(path)
    heard = resample(chunk.samples, chunk.sample_rate_hz, 16_000)
    kinds = [type(event) for event in without_pauses(turns(vad, heard, silence(2000)))]
    assert kinds == [SpeechStarted, SpeechEnded]


@pytest.mark.weights
def test_steady_noise_is_no_speech():
    vad = SileroVad(resolve("silero-vad"))
    noise = np.random.default_rng(1).standard_normal(16_000 * 10).astype(np.float32) * 0.05
    assert max(vad.push(frame) for frame in noise[: 512 * 300].reshape(300, 512)) < 0.5


def test_detectors_are_known_by_name():
    assert isinstance(load_vad("webrtc"), WebRtcVad)
    with pytest.raises(ConfigError, match="silero, webrtc"):
        load_vad("vaod")
