import itertools

from selftalk.stream.studio.paragraphs import SpokenSentence, SpokenWord
from selftalk.stream.studio.subtitles import LONGEST_CUE, as_srt, as_vtt, cues_of

RATE = 1000


def sentence(text, start=0, word_ms=300, words=None):
    spoken = [word.strip(".,!?。，") for word in text.split()] if words is None else words
    times = tuple(
        SpokenWord(word, start + place * word_ms, start + (place + 1) * word_ms)
        for place, word in enumerate(spoken)
    )
    return SpokenSentence(text, start, start + len(spoken) * word_ms, times)


def test_a_short_sentence_is_one_cue():
    (cue,) = cues_of([sentence("Hello, my friend!", start=500)], RATE)
    assert (cue.start_seconds, cue.end_seconds, cue.text) == (0.5, 1.4, "Hello, my friend!")


def test_a_long_sentence_is_cut_between_words_and_loses_none():
    text = " ".join(f"word{number}," for number in range(40)) + " end."
    cues = cues_of([sentence(text)], RATE)
    assert " ".join(cue.text for cue in cues) == text
    assert max(len(cue.text) for cue in cues) <= LONGEST_CUE
    for before, after in itertools.pairwise(cues):
        assert before.end_seconds <= after.start_seconds


def test_numbers_that_are_spoken_as_words_stay_as_written():
    one = sentence("It is 42 now.", words=["It", "is", "forty", "two", "now"])
    assert [cue.text for cue in cues_of([one], RATE)] == ["It is 42 now."]


def test_a_sentence_without_words_has_its_own_times():
    one = SpokenSentence("今天天气真好。", 1000, 3000, ())
    (cue,) = cues_of([one], RATE)
    assert (cue.start_seconds, cue.end_seconds, cue.text) == (1.0, 3.0, "今天天气真好。")


def test_chinese_characters_count_twice():
    text = "今天天气真好我们出去走走吧" * 5
    cues = cues_of([sentence(text, words=list(text), word_ms=200)], RATE)
    assert "".join(cue.text for cue in cues) == text
    assert max(len(cue.text) for cue in cues) <= LONGEST_CUE // 2


def test_a_cue_is_seen_long_enough_but_not_over_the_next():
    first, second = cues_of([sentence("Oh.", 0, 100), sentence("What?", 400)], RATE)
    assert first.end_seconds == second.start_seconds == 0.4


def test_srt_is_numbered_with_commas():
    cues = cues_of([sentence("One.", 3_723_004, 500), sentence("Two.", 3_724_000, 900)], RATE)
    assert as_srt(cues) == (
        "1\n01:02:03,004 --> 01:02:03,704\nOne.\n\n2\n01:02:04,000 --> 01:02:04,900\nTwo.\n\n"
    )


def test_vtt_has_a_header_and_escapes():
    (cue,) = cues_of([sentence("A < B & C", word_ms=500)], RATE)
    assert as_vtt([cue]) == "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\nA &lt; B &amp; C\n\n"
