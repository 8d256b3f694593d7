import fakes_studio as fakes
import numpy as np
import pytest

from selftalk.stream.sound.audio import AudioChunk, read_audio
from selftalk.stream.studio.speaker_check import check_speaker, tell_apart
from selftalk.stream.synthesis.bundle import default_bundle
from selftalk.stream.synthesis.speaker import SpeakerEncoder

DATA = fakes.ROOT / "tests/data"


class KnownSpeakers:
    """The first sample says who it is; everybody varies a little."""

    def embed(self, chunk):
        angle = chunk.samples[0] + 0.02 * chunk.samples[1]
        return np.array([np.cos(angle), np.sin(angle)], np.float32)


def pieces(*angles, seconds=3):
    generator = np.random.default_rng(0)
    return [
        AudioChunk(
            np.concatenate(
                [[angle, generator.standard_normal()], np.zeros(16_000 * seconds)]
            ).astype(np.float32),
            16_000,
        )
        for angle in angles
    ]


def test_one_person_is_one_person():
    speakers = tell_apart(pieces(*[0.5] * 9), KnownSpeakers())
    assert speakers.is_main.all()
    assert check_speaker(speakers).verdict == "good"


def test_a_second_person_is_found_and_told_apart():
    speakers = tell_apart(pieces(0, 0, 1.2, 0, 0, 0, 0, 0, 0, 0), KnownSpeakers())
    assert speakers.is_main.tolist() == [True, True, False, *[True] * 7]
    finding = check_speaker(speakers)
    assert (finding.verdict, finding.measured) == ("usable", pytest.approx(10))


def test_two_who_are_alike_are_told_apart():
    speakers = tell_apart(pieces(0, 0, 0, 0.7, 0.7), KnownSpeakers())  # cos 0.7 = 0.76
    assert speakers.is_main.tolist() == [True] * 3 + [False] * 2


def test_a_dialogue_is_bad():
    speakers = tell_apart(pieces(0, 1.2, 0, 1.2, 0), KnownSpeakers())
    assert speakers.is_main.tolist() == [True, False, True, False, True]
    assert check_speaker(speakers).verdict == "bad"


def test_a_single_piece_is_one_person():
    speakers = tell_apart(pieces(0.3), KnownSpeakers())
    assert not speakers.other_share
    assert np.linalg.norm(speakers.centre) == pytest.approx(1)


def test_the_shipped_encoder_tells_two_readers_apart():
    encoder = SpeakerEncoder(default_bundle().graph_path("speaker"))
    reader = read_audio(DATA / "unless_to_be.flac").samples
    others = [
        read_audio(DATA / f"{name}.flac") for name in ("amiable_himself", "good_or_bad_news_zh")
    ]
    halves = [AudioChunk(half, 16_000) for half in np.array_split(reader, 2)]
    speakers = tell_apart([*halves, *others], encoder)
    assert speakers.is_main.tolist() == [True, True, True, False]
