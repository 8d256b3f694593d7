"""ReplyGuard: short, in its role, without loops, and never a sentence that breaks off."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftalk.stream.minds.reply_guard import LIMIT_WORDS, ReplyGuard, count_words


def run(guard: ReplyGuard, text: str, size: int = 3) -> str:
    pieces = [guard.push(text[i : i + size]) for i in range(0, len(text), size)]
    return "".join(pieces) + guard.flush()


def test_a_good_reply_passes_unchanged() -> None:
    reply = "That sounds hard. What happened then?"
    assert run(ReplyGuard(), reply) == reply
    assert run(ReplyGuard(), "  " + reply + "\n\nuser: hm") == reply


def test_the_first_words_come_before_the_sentence_ends() -> None:
    guard = ReplyGuard()
    given = guard.push("I think that it would be very good to ")
    assert given == "I think that it "


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I do not have feelings.",
        "I'm just an AI, so I cannot know.",
        "I am SmolLM, trained by Hugging Face.",
        "I'm sorry, but I can't assist with that.",
        "User: what is this?",
        "作为一个人工智能，我没有感情。",
        "",
        " \n\n",
    ],
)
def test_out_of_role_is_nothing(text: str) -> None:
    guard = ReplyGuard()
    assert run(guard, text) == ""
    assert guard.is_empty
    assert guard.is_over


def test_out_of_role_later_ends_the_reply_before_it() -> None:
    text = "That is nice. As a language model I like it. Bye."
    assert run(ReplyGuard(), text).strip() == "That is nice."


def test_repetition_ends_the_reply() -> None:
    assert run(ReplyGuard(), "I am so sorry. " * 9).strip() == "I am so sorry."
    looped = run(ReplyGuard(), "it is good to go and it is good to go and " * 9)
    assert count_words(looped) < 30


def test_a_reply_that_begins_like_an_earlier_one_is_nothing() -> None:
    before = "That sounds really hard for you. Why?"
    guard = ReplyGuard([before])
    assert run(guard, "That sounds really hard for me too, you know.") == ""
    assert guard.is_empty
    assert run(ReplyGuard([before]), "That sounds good.") == "That sounds good."


def test_long_replies_end_with_a_sentence() -> None:
    sentence = "We walked along the {} river until the sun went down behind us. "
    text = "".join(sentence.format(name) for name in ("red", "blue", "green", "wide", "old"))
    reply = run(ReplyGuard(), text).strip()
    assert reply.endswith("us.")
    assert 20 < count_words(reply) <= LIMIT_WORDS


def test_a_listener_stops_at_its_question() -> None:
    text = "Oh no! What happened there? I once had a dog."
    assert run(ReplyGuard(ends_at_question=True), text) == "Oh no! What happened there?"
    assert run(ReplyGuard(), text).endswith("dog.")


def test_an_opening_counts_but_is_not_repeated() -> None:
    guard = ReplyGuard(opening="That hurts.")
    assert run(guard, "What happened? And then") == " What happened?"
    assert run(ReplyGuard(opening="That hurts."), "That hurts. That hurts.") == ""
    assert run(ReplyGuard(opening="That hurts."), "And so it never") == ""


def test_an_unfinished_sentence_is_better_than_nothing() -> None:
    assert run(ReplyGuard(), "It never ends and") == "It never ends and"
    assert run(ReplyGuard(), "Good. It never ends and") == "Good."


words = st.sampled_from("I you so good. Why? no, yes! well 好。 我 们 \n ... it's".split(" "))


@settings(max_examples=60, deadline=None)
@given(st.lists(words, max_size=80).map(" ".join), st.integers(1, 7))
def test_chunked_equals_whole_and_is_never_too_long(text: str, size: int) -> None:
    whole = run(ReplyGuard(), text, max(1, len(text)))
    assert run(ReplyGuard(), text, size) == whole
    assert count_words(whole) <= LIMIT_WORDS + 1
    assert text.lstrip().startswith(whole)
