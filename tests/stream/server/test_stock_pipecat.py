"""pipecat's OpenAI realtime service and its reader of events, unmodified.

The reader raises on what it does not expect. pipecat brings half a gigabyte with it, so that it
is no dependency of the tests: they run where it is installed, as docs/serving.md tells.
"""

import asyncio
import json

import pytest
from fakes_http import ToneSynthesizer
from fakes_server import RawClient, Scripted, make_context, running, silence, speech

from selftalk.stream.minds.chat_client import ToolCallDelta

events = pytest.importorskip("pipecat.services.openai.realtime.events")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_every_event_of_a_spoken_turn_a_call_and_a_truncation_is_read():
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    calls = [ToolCallDelta(0, "call_1", "weather", "{}")]
    with running(make_context(Scripted(calls=calls))) as server, RawClient(server.ws_url) as client:
        client.say(speech(0.5) + silence(1.0))
        item_id = client.until("response.done")["response"]["output"][0]["id"]
        client.send("conversation.item.truncate", item_id=item_id, audio_end_ms=100)
        client.send("conversation.item.retrieve", item_id=item_id)
        client.until("conversation.item.retrieved")
        client.send("session.update", session={"type": "realtime", "tools": [tool]})
        client.send("response.create")
        client.until("response.done")
        client.send("response.cancel")
        client.until("error")
        for event in client.seen:
            read = events.parse_server_event(json.dumps(event))
            assert read is None or read.type == event["type"]
        read = {event["type"] for event in client.seen}
    assert {"response.output_audio.delta", "response.function_call_arguments.done"} <= read


def with_service(scenario, context):
    """Run `scenario(tell, until)` around the service, between the two halves of a memory."""
    from pipecat.frames.frames import EndFrame, ErrorFrame, LLMRunFrame
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.pipeline.worker import PipelineWorker
    from pipecat.processors.aggregators.llm_context import LLMContext
    from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
    from pipecat.processors.frame_processor import FrameProcessor
    from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
    from pipecat.workers.runner import WorkerRunner

    async def run(server):
        told = asyncio.Queue()

        class Listener(FrameProcessor):
            async def process_frame(self, frame, direction):
                await super().process_frame(frame, direction)
                told.put_nowait(frame)
                await self.push_frame(frame, direction)

        async def until(kind):
            seen = []
            while not seen or not isinstance(seen[-1], kind):
                seen.append(await told.get())
                assert not isinstance(seen[-1], ErrorFrame), seen[-1]
            return seen

        service = OpenAIRealtimeLLMService(
            api_key="any", base_url=f"{server.ws_url}/v1/realtime?model=m"
        )
        memory = LLMContextAggregatorPair(LLMContext([{"role": "user", "content": "hello"}]))
        worker = PipelineWorker(
            Pipeline([memory.user(), service, Listener(), memory.assistant()]),
            cancel_on_idle_timeout=False,
        )
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        running_ = asyncio.create_task(runner.run())
        try:
            async with asyncio.timeout(60):
                await worker.queue_frame(LLMRunFrame())
                return await scenario(worker.queue_frame, until)
        finally:
            await worker.queue_frame(EndFrame())
            await running_

    with running(context) as server:
        result = asyncio.run(run(server))
    return result, [messages for messages, _, _ in context.stages.responder.asked]


def sound_of(frames):
    from pipecat.frames.frames import TTSAudioRawFrame

    return b"".join(frame.audio for frame in frames if isinstance(frame, TTSAudioRawFrame))


async def say(tell, audio):
    from pipecat.frames.frames import InputAudioRawFrame

    for start in range(0, len(audio), 4800):
        await tell(InputAudioRawFrame(audio[start : start + 4800], 24_000, 1))


def test_the_service_is_answered_aloud():
    from pipecat.frames.frames import LLMFullResponseEndFrame

    async def scenario(tell, until):
        return await until(LLMFullResponseEndFrame)

    seen, asked = with_service(scenario, make_context())
    assert len(sound_of(seen)) == 2 * 6 * 2400
    assert asked[0][-1].text == "hello"


def test_speaking_interrupts_the_reply_and_is_answered():
    from pipecat.frames.frames import (
        InterruptionFrame,
        LLMFullResponseEndFrame,
        TTSAudioRawFrame,
        TTSStartedFrame,
    )

    async def scenario(tell, until):
        await until(TTSAudioRawFrame)
        await asyncio.sleep(1)  # what was heard by then is what is remembered
        await say(tell, speech(0.5) + silence(1.0))
        await until(InterruptionFrame)
        await until(TTSStartedFrame)
        return await until(LLMFullResponseEndFrame)

    twelve_seconds = Scripted(words=120, delta_seconds=0.01)
    context = make_context(twelve_seconds, ToneSynthesizer(seconds_per_chunk=0.02))
    seen, (_, asked) = with_service(scenario, context)
    assert sound_of(seen)
    assert [message.role for message in asked] == ["user", "assistant", "user"]
    assert asked[1].text.startswith("w0 w1 w2. w3")
    assert "w110" not in asked[1].text
    assert asked[2].text == "utterance 1"
