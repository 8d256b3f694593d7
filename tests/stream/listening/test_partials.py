import numpy as np
import pytest

from selftalk.stream.errors import ConfigError
from selftalk.stream.listening.partials import (
    PartialsConfig,
    PartialTranscriber,
    agreed_beginning,
)
from selftalk.stream.sound.audio import AudioChunk


def utterance(milliseconds):
    return AudioChunk(np.zeros(16 * milliseconds, np.float32), 16_000)


def speak(partials, texts, cost_ms, until_ms=3000, frame_ms=20):
    """Run every job for `cost_ms` of the stream; {when it began: (when done, partial)}."""
    seen, running, texts = {}, None, iter(texts)
    for now in range(0, until_ms, frame_ms):
        if running and now >= running[1] + cost_ms:
            job, began = running
            seen[began] = (now, partials.finish(job, next(texts), now))
            running = None
        if partials.due(now):
            assert running is None
            running = partials.begin(utterance(now)), now
    return seen


def test_decodes_on_schedule_when_decoding_costs_little():
    seen = speak(PartialTranscriber(), ["so"] * 9, cost_ms=20)
    assert list(seen) == [600, 1000, 1400, 1800, 2200, 2600]


def test_keeps_to_its_share_of_the_core_when_decoding_costs_much():
    seen = speak(PartialTranscriber(PartialsConfig(share=0.25)), ["so"] * 9, 300, until_ms=6000)
    starts = list(seen)
    assert starts[:3] == [600, 1800, 3000]
    assert sum(done - began for began, (done, _) in seen.items()) <= 0.25 * 6000


def test_agreement_of_two_decodes_is_stable_and_other_words_are_another_revision():
    texts = ["He was", "He was not, and", "he was not and ill", "He was not and ill."]
    partials = [partial for _, partial in speak(PartialTranscriber(), texts, 20, 2000).values()]
    assert [p.stable_text for p in partials] == [
        "",
        "He was",
        "he was not and",
        "He was not and ill",
    ]
    assert [p.revision for p in partials] == [1, 2, 3, 3]
    assert partials[-1].text == texts[-1]


def test_a_pause_stops_what_runs_and_its_late_result_is_nothing():
    partials = PartialTranscriber()
    job = partials.begin(utterance(700))
    assert not partials.due(2000)
    partials.make_way()
    assert job.stop.is_set
    assert partials.finish(job, "too late", 900) is None
    assert partials.latest.text == ""
    assert partials.due(1100)


def test_a_failed_or_empty_decode_changes_nothing():
    partials = PartialTranscriber()
    partials.finish(partials.begin(utterance(700)), "hello", 720)
    for text in (None, ""):
        assert partials.finish(partials.begin(utterance(1500)), text, 1520) is None
    assert partials.latest.text == "hello"


def test_reset_forgets_the_words_but_never_reuses_a_revision():
    partials = PartialTranscriber()
    first = partials.finish(partials.begin(utterance(700)), "hello", 720)
    job = partials.begin(utterance(1200))
    partials.reset()
    assert job.stop.is_set
    assert partials.latest.text == ""
    assert not partials.due(500)
    second = partials.finish(partials.begin(utterance(700)), "hello", 720)
    assert second.stable_text == ""
    assert second.revision > first.revision


@pytest.mark.parametrize(
    ("earlier", "later", "agreed"),
    [
        ("", "anything", ""),
        ("We don't", "We don't know", "We don't"),
        ("We do", "We don't", "We"),
        ("今天天气", "今天天很好", "今天天"),
        ("same.", "Same!", "Same"),
    ],
)
def test_agreed_beginning(earlier, later, agreed):
    assert agreed_beginning(earlier, later) == agreed


@pytest.mark.parametrize("settings", [{"share": 0}, {"share": 1.1}, {"first_ms": 0}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ConfigError, match="partials"):
        PartialsConfig(**settings)
