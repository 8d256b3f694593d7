"""`openai-agents` realtime, unmodified: it validates every event and reports what fails."""

import asyncio

import pytest
from fakes_http import ToneSynthesizer
from fakes_server import Scripted, make_context, running, silence, speech

from selftalk.stream.minds.chat_client import ToolCallDelta

agents = pytest.importorskip("agents")
pytest.importorskip("agents.realtime")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def with_session(scenario, context=None, tools=()):
    from agents.realtime import RealtimeAgent, RealtimeRunner

    agents.set_tracing_disabled(True)
    agent = RealtimeAgent(name="self", instructions="Be brief.", tools=list(tools))

    async def run(server):
        runner = RealtimeRunner(starting_agent=agent)
        model = {"url": f"{server.ws_url}/v1/realtime?model=m", "api_key": "any"}
        async with asyncio.timeout(30):
            async with await runner.run(model_config=model) as session:
                return await scenario(session)

    with running(context or make_context()) as server:
        return asyncio.run(run(server)), server.context


async def until(session, kind, seen):
    async for event in session:
        seen.append(event)
        assert event.type != "error", event
        if event.type == kind:
            return event
    raise AssertionError(f"it ended before {kind}")


def test_a_written_question_is_answered_aloud():
    async def scenario(session):
        seen = []
        await session.send_message("hello")
        await until(session, "agent_end", seen)
        return seen

    seen, context = with_session(scenario)
    audio = b"".join(event.audio.data for event in seen if event.type == "audio")
    assert len(audio) == 2 * 6 * 2400
    assert context.stages.responder.asked[0][0][0].text == "Be brief."


def test_a_spoken_question_and_speech_over_the_answer():
    context = make_context(
        Scripted(words=60, delta_seconds=0.005), ToneSynthesizer(seconds_per_chunk=0.02)
    )

    async def scenario(session):
        seen = []
        await session.send_audio(speech(0.5) + silence(1.0))
        await until(session, "audio", seen)
        await session.send_audio(speech(0.4))
        await until(session, "audio_interrupted", seen)
        await session.send_audio(silence(1.0))
        await until(session, "audio", seen)

    with_session(scenario, context)
    assert len(context.stages.responder.asked) == 2


def test_a_function_is_called():
    called = []

    @agents.function_tool
    def weather(city: str) -> str:
        """How the weather is."""
        called.append(city)
        return "sunny"

    responder = Scripted(calls=[ToolCallDelta(0, "call_1", "weather", '{"city": "Rome"}')])

    async def scenario(session):
        seen = []
        await session.send_message("how is the weather in Rome?")
        await until(session, "tool_end", seen)
        responder.calls = []
        await until(session, "audio", seen)

    with_session(scenario, make_context(responder), [weather])
    assert called == ["Rome"]
    assert responder.asked[1][0][-1].text == "sunny"
