"""ItemConversation: a Conversation made of the items that a client sees.

The agent adds to it what was said, as to any conversation; the client may look at items, put
others in between, and take some away. Knows nothing about sockets and events.

The agent and whoever narrates it to the client come to a new item in either order: the first of
them makes it, the other takes it (`expect_user` … `add_user`, `open_reply` … `take_reply`).
"""

import secrets
from collections import deque
from dataclasses import dataclass

import msgspec

from selftalk.stream.dialogue.conversation import Conversation, Message, ToolCall, told
from selftalk.stream.dialogue.reply import Reply
from selftalk.stream.protocol.codec import ProtocolError
from selftalk.stream.protocol.items import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputText,
    Item,
    MessageItem,
    OutputAudio,
    OutputText,
)

MAX_ITEMS = 1000
ROOT = "root"
TRUNCATION_SLACK_MS = 250  # resampling and rounding of clients


def new_id(kind: str) -> str:
    """An id nobody can guess."""
    return f"{kind}_{secrets.token_hex(11)}"


@dataclass(slots=True)
class Stored:
    """An item and what the agent knows about it."""

    item: Item
    reply: Reply | None = None
    rate_hz: int = 0
    """Of the reply's audio."""
    cut: bool = False
    limit_samples: int | None = None
    """What the client said it played, when it cut the reply."""

    @property
    def item_id(self) -> str:
        """Its id."""
        assert self.item.id is not None
        return self.item.id

    def message(self) -> Message:
        """What the LLM is told of it."""
        item = self.item
        if isinstance(item, FunctionCallItem):
            call = ToolCall(item.call_id, item.name, item.arguments)
            return Message("assistant", "", calls=(call,))
        if isinstance(item, FunctionCallOutputItem):
            return Message("tool", item.output, call_id=item.call_id)
        return Message(item.role, self.heard_text(item), cut=self.cut)

    def heard_text(self, item: MessageItem) -> str:
        """Its text; of a spoken reply only what was heard."""
        if self.reply is not None:
            return self.reply.heard()
        return " ".join(filter(None, (_text_of(part) for part in item.content)))

    def keep_heard(self) -> str:
        """Let the item say what was heard, and no more; return that."""
        assert isinstance(self.item, MessageItem)
        text = self.heard_text(self.item)
        self.item.content = [OutputAudio(transcript=text)]
        self.item.status = "incomplete"
        return text


class ItemConversation(Conversation):
    """Everything said, in the order that the client sees."""

    def __init__(self, *, max_context_characters: int = 8000) -> None:
        super().__init__(max_context_characters=max_context_characters)
        self.items: list[Stored] = []
        self._expected_users: deque[str] = deque()
        self._made_by_agent: Stored | None = None
        self._made_for_agent: Stored | None = None
        self._speaking: Stored | None = None
        self._forgotten: set[str] = set()

    # --- for the client --------------------------------------------------------------------------

    def find(self, item_id: str) -> Stored:
        """An item by its id.

        Raises:
            ProtocolError: there is none.
        """
        for stored in self.items:
            if stored.item.id == item_id:
                return stored
        raise ProtocolError(f"there is no item '{item_id[:64]}'", "item_not_found")

    def id_before(self, item_id: str) -> str | None:
        """The item before this one."""
        place = self.items.index(self.find(item_id))
        return self.items[place - 1].item_id if place else None

    def add(self, item: Item, after: str | None = None) -> Stored:
        """Put an item into the conversation.

        Args:
            item: gets an id if it has none.
            after: the id of another; "root" is the front, None the end.

        Raises:
            ProtocolError: its id is taken, the other does not exist, or there are too many.
        """
        item.id = item.id or new_id("item")
        if any(stored.item.id == item.id for stored in self.items):
            raise ProtocolError(f"there is already an item '{item.id[:64]}'", "item_exists")
        if len(self.items) >= MAX_ITEMS:
            raise ProtocolError(f"a conversation holds {MAX_ITEMS} items at most", "too_many_items")
        place = len(self.items)
        if after == ROOT:
            place = 0
        elif after is not None:
            place = self.items.index(self.find(after)) + 1
        stored = Stored(item)
        self.items.insert(place, stored)
        return stored

    def remove(self, item_id: str) -> None:
        """Take an item away.

        Raises:
            ProtocolError: there is none.
        """
        self.items.remove(self.find(item_id))

    def truncate(self, item_id: str, audio_end_ms: int) -> tuple[str, int]:
        """Keep exactly the words that were heard; return them, and the samples played.

        Raises:
            ProtocolError: it is no spoken reply, or is shorter than that.
        """
        stored = self.find(item_id)
        reply = stored.reply
        if not (isinstance(stored.item, MessageItem) and stored.item.role == "assistant"):
            raise ProtocolError("only spoken replies can be truncated", "invalid_value")
        if reply is None:
            if audio_end_ms:
                raise ProtocolError("this item has no audio", "invalid_value")
            stored.reply = reply = Reply()  # cut before its first sample
        samples = audio_end_ms * stored.rate_hz // 1000
        slack = TRUNCATION_SLACK_MS * stored.rate_hz // 1000
        if samples > reply.samples + slack:
            length_ms = reply.samples * 1000 // max(1, stored.rate_hz)
            raise ProtocolError(
                f"audio_end_ms is {audio_end_ms}; the item's audio lasts {length_ms} ms",
                "invalid_value",
            )
        stored.limit_samples = reply.played_samples = min(samples, reply.samples)
        stored.cut = reply.played_samples < reply.samples
        return stored.keep_heard(), reply.played_samples

    # --- for whoever narrates --------------------------------------------------------------------

    def expect_user(self, item_id: str) -> None:
        """The next thing the user says has this id."""
        self._expected_users.append(item_id)

    def settle_user(self) -> str | None:
        """What was expected will not be said; return its id."""
        return self._expected_users.popleft() if self._expected_users else None

    def unexpect_user(self, item_id: str) -> None:
        """This will never be said."""
        if item_id in self._expected_users:
            self._expected_users.remove(item_id)

    def user_item(self, item_id: str) -> Stored:
        """The item of what the user said, made if need be."""
        for stored in self.items:
            if stored.item.id == item_id:
                return stored
        content = InputAudio()
        return self.add(MessageItem(role="user", content=[content], id=item_id))

    def take_reply(self, *, voiced: bool) -> Stored:
        """The item of the reply that begins, made if need be."""
        stored, self._made_by_agent = self._made_by_agent, None
        if stored is None:
            stored = self._made_for_agent = self._new_reply()
        assert isinstance(stored.item, MessageItem)
        stored.item.status = "in_progress"
        stored.item.content = [OutputAudio(transcript="")] if voiced else [OutputText(text="")]
        return stored

    def reply_over(self) -> None:
        """The reply came to its end, or was cut before it began."""
        self._made_for_agent = self._made_by_agent = None

    # --- as a Conversation, for the agent --------------------------------------------------------

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said and heard."""
        found = (stored.message() for stored in self.items)
        return tuple(message for message in found if message.text)

    def add_user(self, text: str) -> None:
        """Add what the user said, in the place that was kept for it."""
        if self._expected_users:
            stored = self.user_item(self._expected_users.popleft())
            assert isinstance(stored.item, MessageItem)
            stored.item.content = [InputAudio(transcript=text)]
        else:
            self.add(MessageItem(role="user", content=[InputText(text=text)]))

    def add_reply(self, text: str) -> None:
        """Add a reply that was written."""
        stored = self._claim()
        assert isinstance(stored.item, MessageItem)
        stored.item.content = [OutputText(text=text)]
        self._speaking = None

    def open_reply(self, reply: Reply, *, aside: bool = False) -> None:
        """Add a reply that is about to be spoken."""
        self._speaking = self._claim()
        self._speaking.reply = reply

    def heard(self, played_samples: int, *, cut: bool = False) -> str:
        """Keep the words of the last reply whose end was played; return them."""
        stored = self._speaking
        if stored is None or stored.reply is None:
            return ""
        limit = stored.limit_samples
        stored.reply.played_samples = played_samples if limit is None else limit
        stored.cut = cut or stored.cut
        return stored.reply.heard()

    def context(self, pending_user: str = "") -> list[Message]:
        """What the LLM is told."""
        self._forget_the_oldest()
        kept = [stored for stored in self.items if stored.item_id not in self._forgotten]
        messages = _paired([stored.message() for stored in kept])
        return told([*messages, Message("user", pending_user)], self._cut_mark)

    def _forget_the_oldest(self) -> None:
        """Leave out of the context what no longer fits; down to half, so that it seldom moves."""
        self._forgotten &= {stored.item_id for stored in self.items}
        kept = [stored for stored in self.items if stored.item_id not in self._forgotten]
        sizes = [len(stored.message().text) for stored in kept]
        characters = sum(sizes)
        if characters <= self._max_context_characters:
            return
        for stored, size in zip(kept[:-1], sizes, strict=False):
            if characters <= self._max_context_characters // 2:
                return
            if stored.message().role != "system":
                self._forgotten.add(stored.item_id)
                characters -= size

    def _claim(self) -> Stored:
        stored, self._made_for_agent = self._made_for_agent, None
        if stored is None:
            stored = self._made_by_agent = self._new_reply()
        return stored

    def _new_reply(self) -> Stored:
        return self.add(MessageItem(role="assistant", content=[OutputAudio(transcript="")]))


def _text_of(part: object) -> str:
    if isinstance(part, InputText | OutputText):
        return part.text
    assert isinstance(part, InputAudio | OutputAudio)
    return part.transcript or ""


def _paired(messages: list[Message]) -> list[Message]:
    """Neighbouring calls as one message, and only calls that have a result, as chats want it."""
    answered = {message.call_id for message in messages if message.call_id}
    called = {call.call_id for message in messages for call in message.calls}
    paired: list[Message] = []
    for message in messages:
        if message.call_id and message.call_id not in called:
            continue
        if not message.calls:
            paired.append(message)
            continue
        calls = tuple(call for call in message.calls if call.call_id in answered)
        if calls and paired and paired[-1].calls:
            paired[-1] = Message("assistant", "", calls=paired[-1].calls + calls)
        elif calls:
            paired.append(Message("assistant", "", calls=calls))
    return paired


def audio_taken_from(item: MessageItem) -> bytes:
    """The audio of a user's item, taken out of it."""
    found = b""
    for part in item.content:
        if isinstance(part, InputAudio) and isinstance(part.audio, bytes):
            found += part.audio
            part.audio = msgspec.UNSET
    return found
