import pytest

from selftalk.stream.dialogue.utterance import is_backchannel, is_echo, same_words

SPOKEN = "Well, I think that the old cat sleeps on the warm stove all day"


@pytest.mark.parametrize("text", ["Mhm.", "uh-huh!", "Yeah, yeah, right.", "嗯嗯。", "はい、はい"])
def test_sounds_of_a_listener_are_backchannels(text):
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["", "...", "Yes, but wait.", "No.", "Stop!", "嗯，等一下"])
def test_words_are_not(text):
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    "transcript",
    ["cat sleeps on the warm stove", "Cat sleeps on warm stove!", "cat sleeps on the worm stove"],
)
def test_what_the_voice_just_said_is_an_echo_even_if_misheard_here_and_there(transcript):
    assert is_echo(transcript, SPOKEN)


@pytest.mark.parametrize(
    "transcript",
    [
        "the stove",  # too short to tell
        "what about the dog on the stove",
        "stove warm the on sleeps cat",  # the order counts
        "well I think that the",  # long ago
        "",
    ],
)
def test_what_the_user_says_is_none(transcript):
    assert not is_echo(transcript, SPOKEN + " and nobody ever wonders why it does so at all")


def test_chinese_is_compared_by_characters():
    assert is_echo("老猫睡在炉子上", "我家的老猫整天睡在炉子上")
    assert not is_echo("你家有没有狗", "我家的老猫整天睡在炉子上")


def test_case_and_punctuation_make_no_other_words():
    assert same_words("Hello, you!", "hello you")
    assert not same_words("Hello, you!", "hello")
