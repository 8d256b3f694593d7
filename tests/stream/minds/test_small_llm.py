"""SmallLlm on a fake engine: the prompt, the mirror's part, stopping; and once on the real one."""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from fakes_chat import FakeLlama

from selftalk.stream.dialogue.conversation import Message
from selftalk.stream.errors import ResponderError
from selftalk.stream.minds.mirror import Mirror
from selftalk.stream.minds.reply_guard import count_words
from selftalk.stream.minds.small_llm import HISTORY_MESSAGES, SmallLlm, SmallLlmConfig, open_llama
from selftalk.stream.selves import Example, Self, load_self
from selftalk.stream.thread_stream import live_generations

EXAMPLES = {"en": (Example("Hello.", "Hi, you."),), "zh": (Example("你好。", "嗨。"),)}
ME = Self("Me", "You are me.", "Short.", {"en": "Hi."}, examples=EXAMPLES)
SHOWN = [
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "Hi, you."},
]
FACT = "What is the capital of France?"
WISH = "I want to sing."


def mirror() -> Mirror:
    return Mirror.of_self(ME.name, ME.openings)


def user(*texts: str) -> list[Message]:
    return [Message("user", text) for text in texts]


def model(llama: FakeLlama, config: SmallLlmConfig | None = None) -> SmallLlm:
    return SmallLlm(Path("model.gguf"), ME, config, open_server=lambda path, config: llama)


async def collect(llm: SmallLlm, messages: Sequence[Message]) -> list[str]:
    return [delta async for delta in llm.reply(messages)]


def said(llama: FakeLlama, messages: Sequence[Message], **config: object) -> str:
    settings = SmallLlmConfig(**config)  # type: ignore[arg-type]
    return "".join(asyncio.run(collect(model(llama, settings), messages)))


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a thread changes it, no event to wait for
            await asyncio.sleep(0.001)


def test_the_role_is_shown_by_examples_alone() -> None:
    llama = FakeLlama([" song", "?"])
    said(llama, [Message("system", "Be a pirate."), *user(WISH)])
    begun = {"role": "assistant", "content": f"{mirror().opening(user(WISH))} What"}
    assert llama.requests[0]["messages"] == [*SHOWN, {"role": "user", "content": WISH}, begun]
    assert llama.requests[0]["cache_prompt"] is True


def test_a_bigger_model_gets_instructions_and_needs_no_mirror() -> None:
    llama = FakeLlama(["Oh."])
    text = "My dog died yesterday."
    assert said(llama, user(text), follows_instructions=True, languages=None) == "Oh."
    system, *rest = llama.requests[0]["messages"]
    assert system == {"role": "system", "content": ME.instructions()}
    assert rest == [*SHOWN, {"role": "user", "content": text}]
    again = [Message("system", "Be a pirate."), *user("你是海盗吗？")]
    said(llama, again, follows_instructions=True, languages=None)
    contents = [message["content"] for message in llama.requests[1]["messages"]]
    assert contents == ["Be a pirate.", "你好。", "嗨。", "你是海盗吗？"]


def test_the_mirror_opens_when_a_feeling_was_told() -> None:
    llama = FakeLlama([" kind", " of", " exam", "?", " I", " like", " it", "."])
    messages = user("I'm worried about my exam.")
    pieces = asyncio.run(collect(model(llama), messages))
    opening = mirror().opening(messages)
    assert pieces[0] == f"{opening}\n"
    assert "".join(pieces) == f"{opening}\n What kind of exam?"
    begun = {"role": "assistant", "content": f"{opening} What"}
    assert llama.requests[0]["messages"][-1] == begun


def test_a_fact_is_asked_out_of_the_role() -> None:
    llama = FakeLlama([" It", " is", " Paris", "."])
    llm = model(llama)
    messages = [*user("I like boats."), Message("assistant", "Oh?"), *user(FACT)]
    assert "".join(asyncio.run(collect(llm, messages))) == "It is Paris."
    request = llama.requests[0]
    contents = [message["content"] for message in request["messages"]]
    assert contents[-1] == FACT
    assert not {"I like boats.", "Hello."} & set(contents)
    assert request["temperature"] == 0
    asyncio.run(llm.warm_up())
    assert {request["id_slot"] for request in llama.requests} == {0, 1}


@pytest.mark.parametrize(
    "text",
    [
        "I want to kill myself.",
        "My mother passed away.",
        "Nobody understands me.",
        "I had a fight with my boss.",
        "We moved to a new apartment.",
        "Hello!",
        "我很担心明天的考试。",
        "Estoy muy cansado de mi trabajo",
        "今日はとても疲れました。",
    ],
)
def test_the_mirror_answers_where_the_model_would_do_harm_or_nonsense(text: str) -> None:
    llama = FakeLlama(["Haha."])
    assert said(llama, user(text)) == mirror().answer(user(text))
    assert llama.requests == []


@pytest.mark.parametrize("deltas", [["As an AI model, I"], [], ["\n\n"], [FACT]])
def test_the_mirror_answers_when_the_model_fails(deltas: list[str]) -> None:
    assert said(FakeLlama(deltas), user(FACT)) == mirror().answer(user(FACT))


def test_the_mirror_asks_when_the_model_does_not_go_on() -> None:
    messages = user("I'm worried about my exam.")
    reply = said(FakeLlama([]), messages)
    assert reply == f"{mirror().opening(messages)}\n{mirror().question(messages)}"


def test_closing_stops_within_one_token() -> None:
    async def run() -> None:
        llama = FakeLlama([" and on"], endless=True)
        # Without a question, a repetition or a limit the guard would not end it by itself.
        llama.deltas = [f" word{i}" for i in range(1000)]
        reply = model(llama).reply(user(FACT))
        await anext(reply)
        await reply.aclose()
        await asyncio.to_thread(llama.stopped.wait, 5)
        await wait_until(lambda: live_generations() == 0)
        tokens = llama.tokens
        await asyncio.sleep(0.01)
        assert llama.tokens == tokens < 1000

    asyncio.run(run())


def test_replies_take_turns_in_the_one_model() -> None:
    async def run() -> int:
        llama = FakeLlama([" So."] * 30)
        llm = model(llama)
        replies = [collect(llm, user(f"{FACT} {number}")) for number in range(4)]
        assert all(await asyncio.gather(*replies))
        return llama.most_at_once

    assert asyncio.run(run()) == 1


def test_a_stopped_reply_makes_way_for_the_next() -> None:
    async def run() -> list[str]:
        llama = FakeLlama([f" word{i}" for i in range(100)], endless=True)
        llm = model(llama)
        first = llm.reply(user(FACT))
        await anext(first)
        await first.aclose()
        llama.deltas, llama.endless = ["Fine", ".", " "], False
        return await collect(llm, user("What is the largest planet?"))

    assert asyncio.run(run()) == ["Fine."]


def test_the_history_is_shortened_rarely() -> None:
    llama = FakeLlama(["Yes."])
    llm = model(llama)
    starts = []
    for turns in range(1, 20):
        messages = []
        for turn in range(turns):
            messages += [
                Message("user", f"I want to see {turn}."),
                Message("assistant", f"{turn}."),
            ]
        asyncio.run(collect(llm, messages[:-1]))
        history = llama.requests[-1]["messages"][len(SHOWN) : -1]
        assert len(history) <= HISTORY_MESSAGES
        assert history[-1]["content"] == f"I want to see {turns - 1}."
        starts.append(history[0]["content"])
    changes = sum(before != after for before, after in pairwise(starts))
    assert changes == 1


def test_an_engine_error_is_one_sentence() -> None:
    class Broken(FakeLlama):
        def _generate(self, on_chunk):  # type: ignore[no-untyped-def]
            on_chunk({"error": {"message": "exceeds the context size"}})

    with pytest.raises(ResponderError, match=r"'model\.gguf' cannot answer: exceeds"):
        said(Broken([]), user(FACT))


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    with pytest.raises(ResponderError, match="cannot read the model"):
        open_llama(path, SmallLlmConfig())
    path.write_bytes(b"nonsense")
    with pytest.raises(ResponderError, match="is not a GGUF model"):
        open_llama(path, SmallLlmConfig())


@pytest.fixture(scope="module")
def smollm() -> Path:
    pytest.importorskip("xllamacpp")
    from selftalk.stream.fetching.weights import resolve

    return resolve("smollm2-135m")


@pytest.mark.weights
def test_the_real_model_answers_in_its_role(smollm: Path) -> None:
    lines = ["What should I cook tonight?", "I want to start a podcast.", "I'm so stressed."]

    async def run() -> None:
        for name in ("friend", "critic"):
            llm = SmallLlm(smollm, load_self(name))
            await llm.warm_up()
            for line in lines:
                reply = "".join(await collect(llm, user(line)))
                assert 1 <= count_words(reply) <= 45
                assert "AI" not in reply
            await llm.close()

    asyncio.run(run())


@pytest.mark.weights
def test_the_real_model_stops_at_once(smollm: Path) -> None:
    async def run() -> float:
        llm = SmallLlm(smollm, load_self("friend"))
        await llm.warm_up()
        reply = llm.reply(user("Tell me a very long story about the sea."))
        await anext(reply)
        await reply.aclose()
        before = time.process_time()
        await wait_until(lambda: live_generations() == 0)
        return time.process_time() - before

    assert asyncio.run(run()) < 0.5


@pytest.mark.weights
def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + bytes(500))
    with pytest.raises(ResponderError, match="cannot load"):
        open_llama(path, SmallLlmConfig())
