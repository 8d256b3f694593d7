from selftalk.stream.dialogue.spoken_words import SpokenWords
from selftalk.stream.synthesis.speech import PhoneTime, WordTime

WORDS = (
    WordTime("well", 100, 200, (PhoneTime("W", 100, 150), PhoneTime("EH1", 150, 200))),
    WordTime("I", 200, 300),
    WordTime("know", 300, 900),
)


def texts(words):
    return [word.text for word in words]


def test_words_come_when_they_begin_and_the_last_when_its_end_is_known():
    spoken = SpokenWords(WORDS)
    assert texts(spoken.take(100)) == []
    assert texts(spoken.take(201)) == ["well", "I"]
    assert texts(spoken.take(500)) == []
    assert texts(spoken.take(900)) == ["know"]
    assert spoken.take(1000, over=True) == ()


def test_the_last_word_ends_where_the_sound_does():
    spoken = SpokenWords(WORDS)
    spoken.take(400)
    (last,) = spoken.take(500, over=True)
    assert (last.start_samples, last.end_samples) == (300, 500)


def test_what_was_cut_off_before_makes_all_earlier():
    (well,) = SpokenWords(WORDS).take(50, trimmed_samples=120)
    assert (well.start_samples, well.end_samples) == (0, 80)
    assert well.phones == (PhoneTime("W", 0, 30), PhoneTime("EH1", 30, 80))


def test_no_words():
    assert SpokenWords(()).take(10) == ()
    assert SpokenWords(()).take(10, over=True) == ()
