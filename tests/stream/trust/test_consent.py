from datetime import timedelta
from importlib import resources

import numpy as np
import pytest

from selftalk.stream.errors import ConsentError
from selftalk.stream.listening.recognizer import Transcript
from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.sound.resample import resample
from selftalk.stream.trust.audit import AuditLog
from selftalk.stream.trust.consent import ConsentSession
from selftalk.stream.trust.labels import mark
from selftalk.stream.trust.receipts import read_receipt
from selftalk.stream.trust.signing import trust_folder
from selftalk.stream.trust.watermark import is_marked

RATE_HZ = 16_000


def speech(speaker, seconds=4.0):
    """A sound whose level tells who speaks."""
    return AudioChunk(np.full(int(seconds * RATE_HZ), 0.1 * speaker, np.float32), RATE_HZ)


class Levels:
    """A speaker model for `speech`."""

    def embed(self, chunk):
        vector = np.zeros(256, np.float32)
        vector[round(float(chunk.samples[0]) * 10)] = 1
        return vector


class Ears:
    def __init__(self, text):
        self.text = text

    def transcribe(self, chunk, language=None, stop=None):
        return Transcript(self.text, language)


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFTALK_HOME", str(tmp_path))


class Studio:
    """A session in which the right thing is heard unless a test says otherwise."""

    def __init__(self):
        self.seconds, self.heard, self.marked = 0.0, None, False
        self.session = ConsentSession(
            "me",
            "Ada",
            "a test",
            recognizer=lambda _: Ears(self.heard),
            speaker=Levels(),
            marked=lambda _: self.marked,
            days=30,
            clock=lambda: self.seconds,
        )

    def challenge(self, language="en"):
        challenge = self.session.challenge(language)
        self.heard = challenge.sentence
        return challenge


@pytest.fixture
def studio():
    return Studio()


def refused(studio, challenge, reason, recording=None, clips=None):
    with pytest.raises(ConsentError, match=reason):
        studio.session.check(recording or speech(1), challenge, clips or [speech(1)])
    assert not (trust_folder() / "receipts").exists()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_owner_agrees(studio, language):
    recording, clips = speech(1), [speech(1), speech(1, 3.0)]
    receipt = studio.session.check(recording, studio.challenge(language), clips)
    assert read_receipt(receipt.id) == receipt
    assert (receipt.voice, receipt.person, receipt.purpose) == ("me", "Ada", "a test")
    assert receipt.expires_at - receipt.issued_at == timedelta(days=30)
    assert len(set(receipt.clips_sha256)) == 2
    assert receipt.similarity == 1.0
    np.testing.assert_allclose(receipt.embedding, Levels().embed(recording))
    assert AuditLog().verify() == (1, "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_old_sentence_is_refused(studio, language):
    old = studio.challenge(language).sentence
    challenge = studio.session.challenge(language)
    studio.heard = old
    refused(studio, challenge, "were not understood")


@pytest.mark.parametrize(("language", "joint"), [("en", ","), ("zh", "、")])
def test_a_missing_word_is_refused(studio, language, joint):
    challenge = studio.challenge(language)
    studio.heard = challenge.sentence.rsplit(joint, 1)[0]
    refused(studio, challenge, "were not understood")


def test_other_words_are_refused(studio):
    challenge = studio.challenge()
    studio.heard = "No! " + " ".join(challenge.answer)
    refused(studio, challenge, "something else")


def test_a_sentence_that_comes_late_is_refused(studio):
    challenge = studio.challenge()
    studio.seconds = 121.0
    refused(studio, challenge, "121 s after it was shown; 120 s are allowed")


def test_a_sentence_is_checked_once(studio):
    challenge = studio.challenge()
    studio.heard = "mumble"
    refused(studio, challenge, "were not understood")
    studio.heard = challenge.sentence
    refused(studio, challenge, "not the one that was asked for last")


def test_the_sentence_before_the_last_is_void(studio):
    first = studio.challenge()
    studio.challenge()
    refused(studio, first, "not the one that was asked for last")


def test_a_machine_is_refused(studio):
    challenge = studio.challenge()
    studio.marked = True
    refused(studio, challenge, "spoken by a machine: it carries a watermark")


@pytest.mark.parametrize("loudness", [1.0, 0.3])
def test_our_own_synthesis_played_back_is_refused(studio, loudness):
    """By the real detector; what was recorded instead of made passes it."""
    recording = read_audio(resources.files("selftalk.configs") / "recordings" / "go_somewhere.flac")
    samples = resample(recording.samples, recording.sample_rate_hz, 24_000)
    machine = mark(AudioChunk(samples, 24_000))
    played = resample(loudness * machine.samples, 24_000, RATE_HZ)
    studio.session._marked = is_marked
    refused(studio, studio.challenge(), "carries a watermark", AudioChunk(played, RATE_HZ))
    with pytest.raises(ConsentError, match="not spoken by the voice of clip 1"):
        studio.session.check(recording, studio.challenge(), [speech(9)])


def test_a_sentence_that_hides_the_mark_is_refused(studio):
    challenge = studio.challenge()
    studio.marked = None
    refused(studio, challenge, "nobody can tell whether it carries a watermark")


def test_another_speaker_is_refused(studio):
    refused(studio, studio.challenge(), "not spoken by the voice of clip 1 of 1", speech(2))


def test_one_foreign_clip_among_many_is_refused(studio):
    clips = [speech(1), speech(1), speech(3)]
    refused(studio, studio.challenge(), "voice of clip 3 of 3", clips=clips)


class Directions:
    """A speaker model for `speech`: an angle of 0.2 for each level."""

    def embed(self, chunk):
        angle = 0.2 * round(float(chunk.samples[0]) * 10)
        return np.array([np.cos(angle), np.sin(angle)], np.float32)


@pytest.mark.parametrize(
    ("sentence", "clips", "allowed"),
    [
        (1, [1, 1, 1], True),
        (2, [1, 1, 1], True),  # behind by 0.02
        (3, [1, 1, 1], False),  # 0.92 alike, but the clips are the very same voice
        (3, [1, 3, 5], True),  # as far from them as they are from each other
        (3, [1], True),  # of one clip nobody knows how much the voice varies
    ],
)
def test_the_clips_tell_how_alike_a_voice_is_to_itself(studio, sentence, clips, allowed):
    studio.session._speaker = Directions()
    challenge, voice = studio.challenge(), [speech(level) for level in clips]
    if allowed:
        studio.session.check(speech(sentence), challenge, voice)
    else:
        refused(studio, challenge, "less like the clips than they are", speech(sentence), voice)


def test_without_clips_there_is_nothing_to_agree_to(studio):
    challenge = studio.challenge()
    with pytest.raises(ConsentError, match="no recording of the voice"):
        studio.session.check(speech(1), challenge, [])


@pytest.mark.parametrize("seconds", [0.5, 61.0])
def test_recordings_that_cannot_be_the_sentence(studio, seconds):
    refused(studio, studio.challenge(), "2 to 60 s are allowed", speech(1, seconds))
