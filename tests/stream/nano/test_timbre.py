import numpy as np
import pytest

from selftalk.stream.nano import timbre
from selftalk.stream.nano.timbre import PITCH_CENTRE, TIMBRE_SCALE, SpeakerSpace, speaker_vector
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.synthesis.voices import Voice

EMBEDDING = np.full(256, 1 / 16, np.float32)


class FakeBundle:
    def __init__(self, *graphs):
        self.manifest = type("Manifest", (), {"graphs": dict.fromkeys(graphs)})
        self.graph_path = lambda name: name


class FakeGraph:
    def __init__(self, path):
        assert path == "timbre"

    def run(self, *, embedding):
        return {"timbre": 2 * embedding[:, :128]}


@pytest.fixture
def space(monkeypatch):
    monkeypatch.setattr(timbre, "Graph", FakeGraph)
    return SpeakerSpace(FakeBundle("timbre"))


def test_a_timbre_that_is_known_is_taken(space):
    known = np.arange(128, dtype=np.float32)
    speaker = space.speaker(Voice("mila", EMBEDDING, PITCH_CENTRE, {}, known))
    np.testing.assert_allclose(speaker.vector[:-1], TIMBRE_SCALE * known)


def test_of_a_person_it_is_guessed(space):
    speaker = space.speaker(Voice("me", EMBEDDING, PITCH_CENTRE))
    np.testing.assert_allclose(speaker.vector[:-1], TIMBRE_SCALE * 2 * EMBEDDING[:128])
    assert space.nobody().vector.shape == (129,)


def test_in_a_recording_it_is_heard_where_the_model_can(monkeypatch, space):
    class Encoder:
        def __init__(self, path):
            assert path == "timbre_encoder"

        def run(self, *, mel):
            assert mel.shape == (1, 80, 100)
            return {"timbre": np.full((1, 128), TIMBRE_SCALE)}

    recording = AudioChunk(np.ones(24_000, np.float32), 24_000)
    assert space.timbre(recording) is None
    monkeypatch.setattr(timbre, "Graph", Encoder)
    heard = SpeakerSpace(FakeBundle("timbre_encoder")).timbre(recording)
    np.testing.assert_allclose(heard, np.ones(128))


def test_an_octave_is_twelve_semitones(space):
    voice = Voice("me", EMBEDDING, PITCH_CENTRE)
    speaker = space.speaker(voice, pitch_semitones=12)
    assert np.exp(speaker.mean_log_pitch) == pytest.approx(340)
    assert speaker.vector[-1] == pytest.approx(np.log(2) / 0.35)


def test_a_model_without_timbres_is_told_the_embedding():
    vector = SpeakerSpace(FakeBundle()).speaker(Voice("me", EMBEDDING, PITCH_CENTRE)).vector
    np.testing.assert_array_equal(vector, [*EMBEDDING, 0])


def test_speaker_vectors_end_with_the_pitch():
    vector = speaker_vector(np.zeros(128, np.float32), PITCH_CENTRE + 0.35)
    assert vector.shape == (129,)
    assert vector[-1] == pytest.approx(1)
