import numpy as np
import pytest

from selftalk.stream.evaluation.melody import compare_melodies, warp
from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.sound.pitch import track_pitch

RATE_HZ = 16_000


def sung(semitones, seconds=1.2, base_hz=120.0):
    """A buzz whose pitch goes through `semitones`, and whose colour shows how far it has got."""
    samples = int(seconds * RATE_HZ)
    place = np.linspace(0, 1, samples)
    tune = np.interp(place, np.linspace(0, 1, len(semitones)), semitones)
    phase = 2 * np.pi * np.cumsum(base_hz * 2 ** (tune / 12)) / RATE_HZ
    harmonics = np.arange(1, 20)
    colour = np.exp(-np.abs(harmonics[:, None] - 2 - 14 * place[None, ::160]) / 3)
    weights = np.repeat(colour, 160, axis=1)[:, :samples]
    sound = (weights * np.sin(harmonics[:, None] * phase[: weights.shape[1]])).sum(0)
    return AudioChunk((0.1 * sound).astype(np.float32), RATE_HZ)


def test_a_slower_and_higher_singer_has_the_same_melody():
    tune = (0, 5, 1, 6)
    same = compare_melodies(sung(tune), sung(tune, 1.7, 180.0), track_pitch)
    assert same.correlation > 0.9
    assert same.voicing_errors < 0.1
    assert same.spread_semitones == pytest.approx(same.other_spread_semitones, rel=0.2)


def test_the_tune_upside_down_is_another():
    one, other = sung((0, 5, 1, 6)), sung((6, 1, 5, 0))
    assert compare_melodies(one, other, track_pitch).correlation < -0.5


def test_a_drawl_is_flatter():
    told = compare_melodies(sung((0, 1, 0)), sung((0, 8, 0)), track_pitch)
    assert told.spread_semitones < 0.5 * told.other_spread_semitones


@pytest.mark.parametrize("samples", [0, 100, 16_000])
def test_silence_has_no_melody(samples):
    silence = AudioChunk(np.zeros(samples, np.float32), RATE_HZ)
    assert compare_melodies(silence, sung((0, 5)), track_pitch) is None
    assert compare_melodies(sung((0, 5)), silence, track_pitch) is None


def test_warping_pairs_what_is_alike():
    one = np.array([[0], [0], [1], [5], [9]], np.float32)
    other = np.array([[0], [1], [1], [1], [5], [5], [9]], np.float32)
    pairs = warp(one, other)
    assert tuple(pairs[0]) == (0, 0)
    assert tuple(pairs[-1]) == (4, 6)
    assert (np.diff(pairs, axis=0) >= 0).all()
    assert (np.diff(pairs, axis=0).max(1) == 1).all()
    np.testing.assert_array_equal(one[pairs[:, 0]], other[pairs[:, 1]])
