"""ChatClient against a server on loopback: what is sent, what is read, what goes wrong."""

import asyncio
import json
from collections.abc import Sequence

import httpx
import pytest
from fakes_chat import FakeChatServer, text_event

from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.errors import ResponderError
from selftalk.stream.minds.chat_client import ChatClient, TextDelta, ToolCallDelta
from selftalk.stream.minds.endpoint import Endpoint
from selftalk.stream.selves import Example, Self

KEY = "sk-secret-canary"
ME = Self("Me", "You are me.", "Short.", {"en": "Hi."}, examples={"en": (Example("A?", "B."),)})
HELLO = [Message("user", "Hello.")]


def client(server: FakeChatServer, *, key: str | None = KEY, model: str = "m") -> ChatClient:
    return ChatClient(Endpoint(server.base_url, key), ME, model=model)


async def ask(
    server: FakeChatServer, messages: Sequence[Message] = HELLO, *, model: str = "m"
) -> list[str]:
    async with server.running():
        chat = client(server, model=model)
        try:
            return [delta async for delta in chat.reply(messages)]
        finally:
            await chat.close()


def test_deltas_arrive_however_the_bytes_are_cut() -> None:
    events = (
        ": comment\r\n\r\n"
        + text_event("Hé")
        + 'event: x\ndata: {"choices":\ndata: [{"delta": {"content": "llo 你"}}]}\n\n'
        + 'data: {"choices": [{"delta": {"role": "assistant"}}]}\n\n'
        + 'data: {"choices": [], "usage": {}}\n\n'
        + text_event("!")
        + "data: [DONE]\n\n"
    )
    for size in (1, 7, 1000):
        pieces = [events[i : i + size] for i in range(0, len(events), size)]
        assert asyncio.run(ask(FakeChatServer(pieces))) == ["Hé", "llo 你", "!"]


def test_the_last_event_may_lack_its_empty_line() -> None:
    assert asyncio.run(ask(FakeChatServer([text_event("So").strip()]))) == ["So"]


def test_the_self_speaks_through_the_system_message() -> None:
    server = FakeChatServer()
    asyncio.run(ask(server))
    request = server.requests[0]
    assert request["model"] == "m"
    assert request["stream"] is True
    system, user = request["messages"]
    assert user == {"role": "user", "content": "Hello."}
    assert system["role"] == "system"
    assert "You are me." in system["content"]
    assert "User: A?\nYou: B." in system["content"]
    assert f"authorization: bearer {KEY}" in server.heads[0].lower()


def test_a_system_message_of_the_conversation_replaces_the_self() -> None:
    server = FakeChatServer()
    asyncio.run(ask(server, [Message("system", "Be brief."), *HELLO]))
    assert [m["content"] for m in server.requests[0]["messages"]] == ["Be brief.", "Hello."]


def test_tool_calls_pass_as_their_own_deltas() -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{"}}
    more = {"index": 0, "function": {"arguments": "}"}}
    pieces = [
        "data: " + json.dumps({"choices": [{"delta": {"content": "So", "tool_calls": [part]}}]})
        for part in (call, more)
    ]

    async def run(server: FakeChatServer) -> list[object]:
        async with server.running():
            chat = client(server)
            return [d async for d in chat.stream(HELLO, tools=[{"type": "function"}])]

    server = FakeChatServer([piece + "\n\n" for piece in pieces])
    assert asyncio.run(run(server)) == [
        TextDelta("So"),
        ToolCallDelta(0, "c1", "f", "{"),
        TextDelta("So"),
        ToolCallDelta(0, "", "", "}"),
    ]
    assert server.requests[0]["tools"] == [{"type": "function"}]


def test_closing_the_reply_closes_the_connection() -> None:
    async def run() -> None:
        server = FakeChatServer([text_event("on ")], endless=True)
        async with server.running(), asyncio.timeout(5):
            reply = client(server).reply(HELLO)
            assert await anext(reply) == "on "
            await reply.aclose()
            await server.broken_off.wait()

    asyncio.run(run())


def test_the_only_model_is_found() -> None:
    server = FakeChatServer(lists={"/v1/models": {"data": [{"id": "only"}]}})
    assert asyncio.run(ask(server, model="")) == ["Hi."]
    assert server.requests[0]["model"] == "only"


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        (FakeChatServer(["{}"], status=401), "wants a valid key"),
        (
            FakeChatServer(['{"error": {"message": "no model m"}}'], status=404),
            "no chat or no model 'm': no model m",
        ),
        (FakeChatServer([f"bad key {KEY}\n\n" + "x" * 999], status=500), "answered 500: bad key …"),
        (FakeChatServer([], status=302, headers="Location: /x\r\n"), "redirects elsewhere"),
        (FakeChatServer(["data: nonsense\n\n"]), "does not answer as a chat server"),
        (FakeChatServer(["data: [1]\n\n"]), "does not answer as a chat server"),
        (FakeChatServer(['data: {"error": {"message": "out of memory"}}\n\n']), "out of memory"),
        (FakeChatServer(["data: " + "x" * 2_000_000]), "never ends"),
    ],
)
def test_each_failure_is_one_sentence_without_the_key(
    server: FakeChatServer, sentence: str
) -> None:
    with pytest.raises(ResponderError) as failure:
        asyncio.run(ask(server))
    assert sentence in str(failure.value)
    assert KEY not in str(failure.value)
    assert "\n" not in str(failure.value)
    assert len(server.heads) == 1  # a redirect was not followed


def test_several_models_are_listed() -> None:
    server = FakeChatServer(lists={"/v1/models": {"data": [{"id": "a"}, {"id": "b"}]}})
    with pytest.raises(ResponderError, match=r"choose a model of .*: it has a, b"):
        asyncio.run(ask(server, model=""))


def test_nobody_answers() -> None:
    async def run() -> None:
        server = FakeChatServer()
        async with server.running():
            pass
        with pytest.raises(ResponderError, match="no chat server answers at"):
            await anext(client(server).reply(HELLO))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (httpx.ReadTimeout("x"), "did not answer in time"),
        (httpx.RemoteProtocolError("x"), "broke off"),
    ],
)
def test_broken_connections_are_told(error: httpx.HTTPError, sentence: str) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    chat = ChatClient(
        Endpoint("http://localhost/v1", None), ME, model="m", transport=httpx.MockTransport(fail)
    )

    async def run() -> None:
        await anext(chat.reply(HELLO))

    with pytest.raises(ResponderError, match=sentence):
        asyncio.run(run())


def test_the_key_is_not_in_what_is_printed() -> None:
    chat = ChatClient(Endpoint("https://api.example/v1", KEY), ME, model="m")
    chat._opened()
    assert KEY not in repr(chat._endpoint) + repr(chat) + repr(chat._client)
    asyncio.run(chat.close())


def test_warm_up_loads_the_model_only_where_wanted() -> None:
    async def run(preload: bool) -> FakeChatServer:
        server = FakeChatServer()
        async with server.running():
            where = Endpoint(server.base_url, None)
            chat = ChatClient(where, ME, model="m", preload=preload, extra={"think": False})
            await chat.warm_up()
            await chat.close()
        return server

    assert asyncio.run(run(False)).requests == []
    (request,) = asyncio.run(run(True)).requests
    assert request["max_tokens"] == 1
    assert request["think"] is False
