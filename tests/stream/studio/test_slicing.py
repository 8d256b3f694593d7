import fakes_studio as fakes
import numpy as np
import pytest

from selftalk.stream.sound.audio import AudioChunk
from selftalk.stream.studio.loudness import HIGHEST_PEAK, TARGET_LUFS, levelled, loudness_lufs
from selftalk.stream.studio.slicing import LONGEST_SECONDS, SHORTEST_SECONDS, cut_take
from selftalk.stream.studio.take import Take

RATE = 16_000


def take_with(*spans, rate=RATE):
    """A voice between the given seconds, silence elsewhere."""
    length = round((spans[-1][1] + 1) * rate)
    samples = np.zeros(length, np.float32)
    regions = tuple((round(start * rate), round(end * rate)) for start, end in spans)
    time = np.arange(length) / rate
    buzz = sum(np.sin(2 * np.pi * 140 * n * time) / n for n in range(1, 9)) * 0.05
    for start, end in regions:
        samples[start:end] = buzz[start:end]
    return Take("one", AudioChunk(samples, rate), regions)


def spans_of(slices):
    return [(piece.start_samples / piece.sample_rate_hz, piece.seconds) for piece in slices]


def test_neighbours_are_joined_until_a_piece_is_long_enough():
    slices = cut_take(take_with((1, 3), (3.5, 5), (5.5, 8), (8.5, 11)))
    assert spans_of(slices) == [
        pytest.approx((0.9, 7.2), abs=0.01),
        pytest.approx((8.4, 2.7), abs=0.01),
    ]


def test_far_apart_stretches_stay_apart():
    assert len(cut_take(take_with((1, 3.5), (6, 9)))) == 2


def test_long_speech_is_cut_into_pieces():
    slices = cut_take(take_with((0, 31)))
    assert all(SHORTEST_SECONDS <= one.seconds <= LONGEST_SECONDS + 0.3 for one in slices)
    assert sum(one.seconds for one in slices) == pytest.approx(31, abs=3)


def test_what_is_too_short_is_left_out():
    assert cut_take(take_with((1, 2), (5, 6))) == []


def test_a_piece_with_a_cough_is_left_out():
    take = take_with((1, 4), (7, 10))
    assert [start for start, _ in spans_of(cut_take(take, (8.0,)))] == [pytest.approx(0.9)]


def test_pieces_have_one_loudness_and_soft_edges():
    (piece,) = cut_take(take_with((1, 5), rate=44_100))
    assert loudness_lufs(piece.samples, 44_100) == pytest.approx(TARGET_LUFS, abs=0.2)
    assert piece.samples[0] == piece.samples[-1] == 0
    assert np.exp(piece.mean_log_pitch) == pytest.approx(140, rel=0.02)


def test_a_thousand_hertz_at_full_scale_is_as_loud_as_the_standard_says():
    time = np.arange(48_000 * 2) / 48_000
    tone = np.sin(2 * np.pi * 997 * time).astype(np.float32)
    assert loudness_lufs(tone, 48_000) == pytest.approx(-3.01, abs=0.05)
    assert loudness_lufs(tone[::3], 16_000) == pytest.approx(-3.01, abs=0.1)


def test_low_and_quiet_sounds_count_less():
    time = np.arange(96_000) / 48_000
    rumble, hiss = (np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (30, 5000))
    assert loudness_lufs(rumble, 48_000) < -10
    assert loudness_lufs(hiss, 48_000) > 0
    half_silent = np.concatenate([hiss, np.zeros_like(hiss)])
    assert loudness_lufs(half_silent, 48_000) == pytest.approx(loudness_lufs(hiss, 48_000), abs=0.5)


def test_peaks_are_never_raised_beyond_full_scale():
    clicks = np.zeros(RATE, np.float32)
    clicks[::4000] = 0.5
    assert np.abs(levelled(clicks, RATE, -3.0)).max() == pytest.approx(HIGHEST_PEAK)


def test_silence_stays_silent():
    assert not levelled(np.zeros(RATE, np.float32), RATE).any()


def test_human_speech_is_cut():
    slices = cut_take(fakes.clean_take("unless_to_be"))
    assert 1 <= len(slices) <= 2
    assert slices[0].pitch_spread_semitones > 2
