import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.dialogue.metrics import (
    PIPELINE,
    SPEECH_END,
    STAGES,
    SYNTHESIS_MARKS,
    TurnMetrics,
)

MARKS = [mark for stage in STAGES for mark in (stage.begun_by, stage.ended_by) if mark]


def measured(**milliseconds: float) -> TurnMetrics:
    return TurnMetrics({name: at / 1000 for name, at in milliseconds.items()})


def test_stages_are_the_times_between_marks():
    metrics = measured(
        speech_end=1000,
        endpoint=1200,
        transcript=1250,
        first_token=1300,
        first_clause=1320,
        phonemes_ready=1330,
        prefill=1350,
        first_semantic_token=1360,
        first_audio=1400,
        first_sample_played=1450,
    )
    assert metrics.stages_ms() == pytest.approx(
        {
            "endpoint_wait": 200,
            "final_transcript": 50,
            "first_llm_token": 50,
            "first_clause": 20,
            "phonemes": 10,
            "prefill": 20,
            "first_semantic_token": 10,
            "first_audio_chunk": 40,
            "first_sample_played": 50,
            "pipeline": 0,
        }
    )
    assert metrics.voice_to_voice_ms == pytest.approx(450)


def test_time_between_a_stage_and_the_begin_of_the_next_is_the_pipelines():
    metrics = measured(
        speech_end=0,
        endpoint=100,
        transcript_begun=130,
        transcript=150,
        synthesis_begun=190,
        first_audio=200,
        phonemes_ready=195,
        first_sample_played=230,
    )
    assert metrics.stages_ms() == pytest.approx(
        {
            "endpoint_wait": 100,
            "final_transcript": 20,
            "phonemes": 5,
            "first_audio_chunk": 5,
            "first_sample_played": 30,
            "pipeline": 70,
        }
    )


def test_what_was_done_before_the_end_was_certain_costs_nothing():
    metrics = measured(
        speech_end=0,
        transcript=150,
        first_token=180,
        first_audio=290,
        endpoint=300,
        first_sample_played=320,
    )
    assert metrics.stages_ms() == pytest.approx(
        {
            "endpoint_wait": 300,
            "final_transcript": 0,
            "first_llm_token": 0,
            "first_audio_chunk": 0,
            "first_sample_played": 20,
            "pipeline": 0,
        }
    )


def test_only_the_first_mark_of_a_name_counts():
    metrics = TurnMetrics()
    metrics.mark("first_token", 1.0)
    metrics.mark("first_token", 2.0)
    assert metrics.marks == {"first_token": 1.0}


def test_a_turn_without_sound_has_no_voice_to_voice_time():
    assert measured(speech_end=0, endpoint=100).voice_to_voice_ms is None
    assert TurnMetrics().stages_ms() == {}


def test_the_waterfall_is_one_line_that_shows_what_is_large():
    metrics = measured(speech_end=0, endpoint=300, first_audio=400, first_sample_played=400)
    assert metrics.waterfall() == (
        "400 ms · endpoint wait 300 ████████████████████████ · first audio chunk 100 ████████"
    )
    assert measured(speech_end=0, first_token=9000).waterfall().count("█") == 32
    assert measured(speech_end=0).waterfall() == "no audio"


def test_the_synthesizers_marks_are_stages():
    assert set(SYNTHESIS_MARKS) <= set(MARKS)


@given(st.dictionaries(st.sampled_from(MARKS), st.floats(0, 1e4)), st.floats(0, 1e4))
def test_the_stages_add_up_to_the_whole_in_any_order_of_marks(marks, end):
    metrics = TurnMetrics({**marks, SPEECH_END: 0.0, "first_sample_played": end})
    stages = metrics.stages_ms()
    assert all(milliseconds >= 0 for milliseconds in stages.values())
    assert stages[PIPELINE] >= 0
    latest = max([*metrics.marks.values(), end])
    assert sum(stages.values()) == pytest.approx(metrics.voice_to_voice_ms)
    assert metrics.voice_to_voice_ms <= 1000 * latest * (1 + 1e-9)
    if end == latest:
        assert metrics.voice_to_voice_ms == pytest.approx(1000 * end)
