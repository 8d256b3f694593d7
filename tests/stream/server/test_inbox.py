import asyncio

from selftalk.stream.server.inbox import Inbox


class Wire:
    """Tells whether its client is held."""

    on_message = None
    held = False

    def hold(self):
        self.held = True

    def let_in(self):
        self.held = False


class Reader:
    """Is full after some messages until it is told to go on."""

    def __init__(self, full_after):
        self.taken = []
        self.full = False
        self._full_after = full_after
        self.go_on = asyncio.Event()

    def take(self, message):
        self.taken.append(message)
        self.full = message in self._full_after

    async def room(self):
        if self.full:
            await self.go_on.wait()
            self.go_on.clear()
            self.full = False


async def turn():
    for _ in range(5):
        await asyncio.sleep(0)


def test_messages_are_taken_at_once():
    async def check():
        wire, reader = Wire(), Reader("")
        Inbox(wire, reader.take, reader)
        for message in "abc":
            wire.on_message(message)
        assert reader.taken == list("abc")

    asyncio.run(check())


def test_a_client_is_held_while_its_reader_is_full_and_the_order_stays():
    async def check():
        wire, reader = Wire(), Reader("bd")
        Inbox(wire, reader.take, reader)
        for message in "abcde":
            wire.on_message(message)
        assert (reader.taken, wire.held) == (list("ab"), True)
        reader.go_on.set()
        await turn()
        wire.on_message("f")
        assert (reader.taken, wire.held) == (list("abcd"), True)
        reader.go_on.set()
        await turn()
        assert (reader.taken, wire.held) == (list("abcdef"), False)
        wire.on_message("g")
        assert reader.taken == list("abcdefg")

    asyncio.run(check())


def test_what_waits_at_the_end_is_taken_no_more():
    async def check():
        wire, reader = Wire(), Reader("a")
        inbox = Inbox(wire, reader.take, reader)
        for message in "ab":
            wire.on_message(message)
        inbox.close()
        reader.go_on.set()
        await turn()
        assert (reader.taken, wire.on_message) == (["a"], None)

    asyncio.run(check())
