import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftalk.stream.dialogue.events import SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from selftalk.stream.dialogue.turns import TurnConfig, TurnDetector
from selftalk.stream.errors import ConfigError
from selftalk.stream.sound.audio import AudioChunk

FRAME = 160  # 10 ms


class LevelVad:
    """Takes the level of a frame for its speech probability."""

    frame_samples = FRAME

    def push(self, frame):
        return float(frame.mean())

    def reset(self):
        pass


CONFIG = TurnConfig(
    minimum_speech_ms=50,
    interrupting_speech_ms=100,
    pre_roll_ms=30,
    pause_ms=40,
    shortest_wait_ms=80,
    usual_wait_ms=200,
    longest_wait_ms=400,
    longest_speech_ms=2000,
)


def audio(*parts):
    """Audio of (probability, milliseconds) parts."""
    levels = [np.full(16 * milliseconds, level, np.float32) for level, milliseconds in parts]
    return AudioChunk(np.concatenate(levels), 16_000)


def detect(chunk, piece=320, detector=None, **push):
    detector = detector or TurnDetector(LevelVad(), CONFIG)
    events = []
    for start in range(0, len(chunk), piece):
        events += detector.push(AudioChunk(chunk.samples[start : start + piece], 16_000), **push)
    return events


def kinds(events):
    return [type(event) for event in events]


def test_one_utterance_has_a_start_a_pause_and_an_end():
    events = detect(audio((0, 100), (1, 300), (0, 300)))
    assert kinds(events) == [SpeechStarted, SpeechPaused, SpeechEnded]
    assert events[0].at_samples == 1600
    assert events[1].at_samples == events[2].at_samples == 6400
    # pre-roll 30 ms + speech 300 ms + pause 40 ms
    assert len(events[2].audio) == 16 * 370


def test_the_audio_of_the_pause_is_that_of_the_end():
    _, paused, ended = detect(audio((0, 100), (1, 300), (0, 300)))
    np.testing.assert_array_equal(paused.audio.samples, ended.audio.samples)


def test_speech_at_the_very_first_sample_is_kept_whole():
    events = detect(audio((1, 200), (0, 300)))
    assert events[0].at_samples == 0
    assert len(events[-1].audio) == 16 * 240


def test_a_click_is_no_speech():
    assert detect(audio((0, 100), (1, 40), (0, 500))) == []


def test_clicks_do_not_add_up_to_speech():
    assert detect(audio(*[(1, 40), (0, 20)] * 10)) == []


def test_between_the_thresholds_nothing_changes():
    events = detect(audio((0.45, 300), (1, 100), (0.4, 400), (0, 300)))
    assert kinds(events) == [SpeechStarted, SpeechPaused, SpeechEnded]
    assert events[-1].at_samples == 16 * 800


def test_a_pause_inside_the_sentence_is_resumed():
    events = detect(audio((1, 200), (0, 150), (1, 200), (0, 300)))
    assert kinds(events) == [SpeechStarted, SpeechPaused, SpeechResumed, SpeechPaused, SpeechEnded]
    assert len(events[-1].audio) == 16 * (200 + 150 + 200 + 40)


def test_two_utterances_are_two_turns():
    events = detect(audio((0, 50), (1, 200), (0, 500), (1, 200), (0, 300)))
    assert kinds(events) == [SpeechStarted, SpeechPaused, SpeechEnded] * 2
    assert len(events[-1].audio) == 16 * (30 + 200 + 40)


@pytest.mark.parametrize(("probability", "waited_ms"), [(1, 80), (0.9, 80), (0.5, 200), (0, 400)])
def test_the_judgement_of_a_pause_sets_the_wait(probability, waited_ms):
    detector = TurnDetector(LevelVad(), CONFIG)
    (paused,) = detect(audio((1, 200), (0, 40)), detector=detector)[1:]
    detector.judge(paused, probability)
    assert detect(audio((0, waited_ms - 50)), detector=detector) == []
    assert kinds(detect(audio((0, 10)), detector=detector)) == [SpeechEnded]
    assert detector.position_samples == 16 * (200 + waited_ms)


def test_a_judgement_that_comes_late_ends_the_turn_at_once():
    detector = TurnDetector(LevelVad(), CONFIG)
    paused = detect(audio((1, 200), (0, 150)), detector=detector)[1]
    detector.judge(paused, 1.0)
    assert kinds(detect(audio((0, 10)), detector=detector)) == [SpeechEnded]


def test_a_judgement_of_an_older_pause_changes_nothing():
    detector = TurnDetector(LevelVad(), CONFIG)
    paused = detect(audio((1, 200), (0, 50), (1, 200), (0, 50)), detector=detector)[1]
    detector.judge(paused, 1.0)
    assert detect(audio((0, 100)), detector=detector) == []


def test_while_the_agent_speaks_it_takes_clearer_and_longer_speech():
    unclear, short, clear = audio((0.6, 300)), audio((0.9, 90), (0, 20)), audio((0.9, 110))
    assert kinds(detect(unclear)) == [SpeechStarted]
    assert detect(unclear, agent_speaking=True) == []
    assert detect(short, agent_speaking=True) == []
    assert kinds(detect(clear, agent_speaking=True)) == [SpeechStarted]


def test_an_endless_utterance_is_cut_and_goes_on_as_the_next():
    events = detect(audio((1, 2500), (0, 300)))
    assert kinds(events) == [
        SpeechStarted, SpeechEnded, SpeechStarted, SpeechPaused, SpeechEnded,
    ]  # fmt: skip
    assert len(events[1].audio) == 16 * 2000


def test_flush_ends_the_utterance_under_way_and_starts_afresh():
    detector = TurnDetector(LevelVad(), CONFIG)
    detect(audio((0, 50), (1, 200)), detector=detector)
    (ended,) = detector.flush()
    assert len(ended.audio) == 16 * 230
    assert detector.flush() == []
    assert detector.position_samples == 0


def test_the_speech_so_far_can_be_heard_while_it_goes_on():
    detector = TurnDetector(LevelVad(), CONFIG)
    detect(audio((0, 100)), detector=detector)
    assert detector.speech is None
    detect(audio((1, 40)), detector=detector)
    assert detector.suspects_speech
    detect(audio((1, 60)), detector=detector)
    assert not detector.suspects_speech
    assert len(detector.speech) == 16 * 130


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.4, 1.0]), st.integers(1, 300)), max_size=8),
    st.integers(20, 2000),
)
def test_chunked_equals_whole(parts, piece):
    chunk = audio(*parts) if parts else AudioChunk(np.zeros(0, np.float32), 16_000)
    whole, chunked = detect(chunk, piece=10**6), detect(chunk, piece=piece)
    assert kinds(whole) == kinds(chunked)
    assert [event.at_samples for event in whole] == [event.at_samples for event in chunked]


def test_memory_is_bounded_in_silence():
    detector = TurnDetector(LevelVad(), CONFIG)
    detect(audio((0, 3000)), detector=detector)
    assert sum(map(len, detector._kept)) <= 16 * 40


@pytest.mark.parametrize(
    "wrong",
    [
        {"end_threshold": 0.6},
        {"interrupting_threshold": 1.2},
        {"shortest_wait_ms": 900},
        {"pre_roll_ms": -1},
        {"sure_probability": 0.4},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(ConfigError):
        TurnConfig(**wrong)
