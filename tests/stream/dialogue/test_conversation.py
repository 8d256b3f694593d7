import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftalk.stream.dialogue.conversation import Conversation, Message
from selftalk.stream.dialogue.reply import Reply, join_text
from selftalk.stream.synthesis.speech import WordTime

WORD_SAMPLES = 100


def spoken(*sentences: str, words: list[list[str]] | None = None) -> Reply:
    """A reply all of whose audio is there; each word is 100 samples long."""
    reply = Reply()
    for number, sentence in enumerate(sentences):
        spoken_words = words[number] if words else sentence.split()
        times = [
            WordTime(word.strip(".,?!。，"), start * WORD_SAMPLES, (start + 1) * WORD_SAMPLES)
            for start, word in enumerate(spoken_words)
        ]
        index = reply.add_sentence(sentence)
        reply.add_speech(index, WORD_SAMPLES * len(times), times)
        reply.finish_sentence(index)
    return reply


class TestReply:
    @pytest.mark.parametrize(
        ("played_samples", "heard"),
        [
            (0, ""),
            (99, ""),
            (100, "Well"),
            (199, "Well"),
            (200, "Well, I think so."),
            (299, "Well, I think so."),
            (300, "Well, I think so. You"),
            (10_000, "Well, I think so. You are right."),
        ],
    )
    def test_a_word_is_heard_once_its_last_sample_was_played(self, played_samples, heard):
        reply = spoken(
            "Well, I think so.", "You are right.", words=[["Well", "so"], ["You", "are", "right"]]
        )
        assert reply.heard(played_samples) == heard

    def test_closing_punctuation_comes_with_the_end_of_the_sentence_only(self):
        reply = Reply()
        index = reply.add_sentence("Yes, of course!")
        reply.add_speech(index, 400, [WordTime("Yes", 0, 100), WordTime("of", 120, 200)])
        reply.add_speech(index, 100, [WordTime("course", 200, 390)])
        assert reply.heard(450) == "Yes, of course"
        assert reply.heard(500) == "Yes, of course"  # more audio may come
        reply.finish_sentence(index)
        assert reply.heard(500) == "Yes, of course!"

    def test_chinese_needs_no_spaces(self):
        reply = spoken("你好，世界。", "再见。", words=[list("你好世界"), list("再见")])
        assert reply.heard(200) == "你好"
        assert reply.heard(300) == "你好，世"
        assert reply.heard(500) == "你好，世界。再"

    def test_a_word_spoken_otherwise_than_written_goes_with_the_next(self):
        reply = spoken("I paid $10 for ten.", words=[["I", "paid", "ten", "dollars", "for", "ten"]])
        heard = [reply.heard(words * WORD_SAMPLES) for words in range(1, 7)]
        assert heard == [
            "I",
            "I paid",
            "I paid",
            "I paid",
            "I paid $10 for",
            "I paid $10 for ten.",
        ]

    def test_without_word_times_a_sentence_counts_as_a_whole(self):
        reply = Reply()
        for text in ("First one.", "Second one."):
            index = reply.add_sentence(text)
            reply.add_speech(index, 1000)
            reply.finish_sentence(index)
        assert reply.heard(1999) == "First one."
        assert reply.heard(2000) == "First one. Second one."

    def test_a_sentence_that_was_never_spoken_was_not_heard(self):
        reply = Reply()
        reply.add_sentence("Broken.")
        reply.finish_sentence(0)
        reply.add_sentence("Fine.")
        reply.add_speech(1, 100, [WordTime("Fine", 0, 100)])
        reply.finish_sentence(1)
        assert reply.heard(100) == "Fine."

    def test_the_unheard_rest_is_what_heard_leaves(self):
        reply = spoken("Well, I see.", "Go on.")
        reply.played_samples = 100
        assert reply.unheard() == {0: "I see.", 1: "Go on."}
        reply.played_samples = 300
        assert reply.unheard() == {1: "Go on."}
        reply.played_samples = 500
        assert reply.unheard() == {}

    @given(
        st.lists(
            st.lists(st.text("abcdef", min_size=1, max_size=5), min_size=1, max_size=6),
            min_size=1,
            max_size=4,
        ),
        st.integers(0, 3000),
    )
    def test_heard_is_exactly_the_words_that_ended(self, sentences, played_samples):
        reply = spoken(*(" ".join(words) for words in sentences))
        all_words = [word for words in sentences for word in words]
        assert reply.heard(played_samples).split() == all_words[: played_samples // WORD_SAMPLES]


class TestConversation:
    def test_it_keeps_the_order_and_what_was_heard(self):
        conversation = Conversation()
        conversation.add_user("Hello?")
        conversation.open_reply(spoken("Hello there, friend."))
        assert conversation.messages == (Message("user", "Hello?"),)
        assert conversation.heard(200, cut=True) == "Hello there"
        conversation.add_user("Stop.")
        assert conversation.messages == (
            Message("user", "Hello?"),
            Message("assistant", "Hello there", cut=True),
            Message("user", "Stop."),
        )

    def test_what_was_heard_may_be_told_better_after_the_next_message(self):
        conversation = Conversation()
        conversation.open_reply(spoken("One two three."))
        conversation.heard(300, cut=True)
        conversation.add_user("Sorry?")
        conversation.heard(100, cut=True)
        assert conversation.messages[0].text == "One"

    def test_the_llm_sees_where_it_was_cut_and_nothing_of_the_rest(self):
        conversation = Conversation([Message("system", "Be kind.")])
        conversation.add_user("Hello?")
        conversation.open_reply(spoken("Hello there, friend."))
        conversation.heard(200, cut=True)
        assert conversation.context("Stop.") == [
            Message("system", "Be kind."),
            Message("user", "Hello?"),
            Message("assistant", "Hello there —", cut=True),
            Message("user", "Stop."),
        ]

    def test_roles_alternate_for_the_llm(self):
        conversation = Conversation()
        conversation.add_user("I want")
        conversation.open_reply(spoken("Never heard."))
        conversation.heard(0, cut=True)
        conversation.add_user("to go home.")
        assert conversation.context() == [Message("user", "I want to go home.")]

    def test_apologies_are_part_of_what_was_said_but_not_of_what_the_llm_is_told(self):
        conversation = Conversation()
        conversation.add_user("Hello?")
        conversation.open_reply(spoken("Sorry."), aside=True)
        conversation.heard(100)
        assert conversation.messages[-1] == Message("assistant", "Sorry.", aside=True)
        assert conversation.context() == [Message("user", "Hello?")]

    def test_the_context_is_bounded_and_its_start_stays_put_for_many_turns(self):
        conversation = Conversation([Message("system", "s")], max_context_characters=200)
        starts = []
        for number in range(100):
            conversation.add_user(f"question {number:03d}")
            told = conversation.context()
            assert told[0] == Message("system", "s")
            assert sum(len(message.text) for message in told[1:]) <= 200
            assert told[-1] == Message("user", f"question {number:03d}")
            starts.append(told[1].text)
            conversation.open_reply(spoken("yes indeed"))
            conversation.heard(200)
        assert len(set(starts)) <= 20  # not a new beginning at every turn

    def test_one_message_longer_than_the_limit_is_still_told(self):
        conversation = Conversation(max_context_characters=10)
        conversation.add_user("x" * 50)
        assert conversation.context() == [Message("user", "x" * 50)]
        conversation.open_reply(spoken("yes"))
        conversation.heard(100)
        conversation.add_user("y" * 50)
        assert conversation.context() == [Message("user", "y" * 50)]


def test_join_text_puts_spaces_only_where_the_script_has_them():
    assert join_text(["Hello.", "", "How are you?"]) == "Hello. How are you?"
    assert join_text(["你好。", "吃了吗？"]) == "你好。吃了吗？"
