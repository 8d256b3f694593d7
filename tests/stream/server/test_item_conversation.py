import pytest

from selftalk.stream.dialogue.reply import Reply
from selftalk.stream.protocol import ProtocolError
from selftalk.stream.protocol.items import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputText,
    MessageItem,
)
from selftalk.stream.server.item_conversation import ItemConversation
from selftalk.stream.synthesis.speech import WordTime

RATE_HZ = 1000


def user(text, **fields):
    return MessageItem(role="user", content=[InputText(text=text)], **fields)


def spoken(conversation, words):
    reply = Reply()
    reply.add_sentence(" ".join(words))
    times = [WordTime(word, 100 * n, 100 * n + 100) for n, word in enumerate(words)]
    reply.add_speech(0, 100 * len(words), times)
    reply.finish_sentence(0)
    conversation.open_reply(reply)
    stored = conversation.take_reply(voiced=True)
    stored.rate_hz = RATE_HZ
    return stored


def told(conversation):
    return [(message.role, message.text) for message in conversation.context()]


@pytest.fixture
def conversation():
    return ItemConversation()


class TestWhoComesFirst:
    def test_the_agent_before_the_narrator(self, conversation):
        conversation.open_reply(Reply())
        stored = conversation.take_reply(voiced=True)
        assert conversation.items == [stored]

    def test_the_narrator_before_the_agent(self, conversation):
        stored = conversation.take_reply(voiced=True)
        reply = Reply()
        conversation.open_reply(reply)
        assert conversation.items == [stored]
        assert stored.reply is reply

    @pytest.mark.parametrize("told_first", [True, False])
    def test_what_the_user_said_has_the_id_it_was_promised(self, conversation, told_first):
        conversation.expect_user("mine")
        if told_first:
            conversation.user_item("mine")
        conversation.add_user("hello")
        assert conversation.user_item("mine").item.content[0].transcript == "hello"
        assert len(conversation.items) == 1

    def test_what_was_never_said_takes_nobodys_place(self, conversation):
        conversation.expect_user("first")
        conversation.expect_user("second")
        conversation.settle_user()
        conversation.add_user("hello")
        assert conversation.items[0].item.id == "second"


class TestHeard:
    WORDS = ("one", "two", "three", "four")

    def test_exactly_the_words_whose_end_was_played(self, conversation):
        for played_ms, heard in [(0, ""), (99, ""), (100, "one"), (250, "one two")]:
            stored = spoken(conversation, self.WORDS)
            assert conversation.truncate(stored.item_id, played_ms) == (heard, played_ms)
            assert stored.item.content[0].transcript == heard

    def test_what_the_client_played_counts_more_than_what_we_think(self, conversation):
        stored = spoken(conversation, self.WORDS)
        conversation.truncate(stored.item_id, 200)
        assert conversation.heard(350, cut=True) == "one two"

    def test_a_little_more_than_there_is_is_rounding_and_much_more_is_a_mistake(self, conversation):
        stored = spoken(conversation, self.WORDS)
        assert conversation.truncate(stored.item_id, 600) == ("one two three four", 400)
        with pytest.raises(ProtocolError, match="lasts 400 ms"):
            conversation.truncate(stored.item_id, 700)


class TestContext:
    def test_calls_stand_together_and_only_with_their_results(self, conversation):
        conversation.add(user("weather?"))
        for number in (1, 2, 3):
            call = FunctionCallItem(name="f", arguments="{}", call_id=f"c{number}")
            conversation.add(call)
        for number in (1, 2, 9):
            conversation.add(FunctionCallOutputItem(call_id=f"c{number}", output=f"o{number}"))
        assert told(conversation) == [
            ("user", "weather?"),
            ("assistant", ""),
            ("tool", "o1"),
            ("tool", "o2"),
        ]
        calls = conversation.context()[1].calls
        assert [call.call_id for call in calls] == ["c1", "c2"]

    def test_the_oldest_is_left_out_when_there_is_too_much_but_never_a_systems_word(self):
        conversation = ItemConversation(max_context_characters=100)
        conversation.add(MessageItem(role="system", content=[InputText(text="be kind")]))
        for number in range(30):
            conversation.add(user(f"message {number}."))
        context = told(conversation)
        assert context[0] == ("system", "be kind")
        assert "message 29." in context[-1][1]
        assert "message 0." not in context[-1][1]
        assert len(conversation.items) == 31


def test_items_go_where_they_are_wanted(conversation):
    conversation.add(user("b", id="b"))
    conversation.add(user("a", id="a"), after="root")
    conversation.add(user("c", id="c"), after="a")
    assert [stored.item_id for stored in conversation.items] == ["a", "c", "b"]
    assert conversation.id_before("c") == "a"
    with pytest.raises(ProtocolError, match="no item 'z'"):
        conversation.add(user("d"), after="z")
