"""The `openai` package, unmodified, against the server: what is written for OpenAI works here."""

import asyncio
import base64
import json
from typing import get_args

import pytest
from fakes_http import ToneSynthesizer
from fakes_server import Scripted, base64_of, make_context, running, silence, speech

from selftalk.stream.minds.chat_client import ToolCallDelta
from selftalk.stream.protocol import ClientEvent

openai = pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MANUAL = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
TEXT_ONLY = {"type": "realtime", "output_modalities": ["text"]}
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "How the weather is.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def hello(text="hello"):
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


def with_client(scenario, context=None, **options):
    """Run `scenario(connection)` with a stock client."""

    async def run(server):
        client = openai.AsyncOpenAI(api_key="any", base_url=f"{server.url}/v1", max_retries=0)
        if _takes_websocket_url():
            client = client.with_options(websocket_base_url=f"{server.ws_url}/v1")
        async with client.realtime.connect(model="selftalk", **options) as connection:
            seen = []
            await until(connection, "session.created", seen)
            async with asyncio.timeout(20):
                return await scenario(connection, seen)

    with running(context or make_context()) as server:
        return asyncio.run(run(server)), server.context


def _takes_websocket_url():
    import inspect

    return "websocket_base_url" in inspect.signature(openai.AsyncOpenAI.with_options).parameters


async def until(connection, kind, seen):
    while True:
        event = await connection.recv()
        seen.append(event)
        assert event.type == kind or event.type != "error", event
        if event.type == kind:
            return event


async def say(connection, audio):
    for start in range(0, len(audio), 4800):
        await connection.input_audio_buffer.append(audio=base64_of(audio[start : start + 4800]))


def test_a_spoken_turn():
    async def scenario(connection, seen):
        await say(connection, speech(0.5) + silence(0.8))
        done = await until(connection, "response.done", seen)
        assert done.response.status == "completed"
        audio = b"".join(
            base64.b64decode(e.delta) for e in seen if e.type == "response.output_audio.delta"
        )
        assert len(audio) == 2 * 6 * 2400
        assert done.response.output[0].content[0].transcript == "w0 w1 w2. w3 w4 w5."

    with_client(scenario)


def test_a_turn_by_hand():
    async def scenario(connection, seen):
        await connection.session.update(session=MANUAL)
        updated = await until(connection, "session.updated", seen)
        told = updated.to_dict(warnings=False)["session"]  # without a type before 1.107
        assert told["audio"]["input"]["turn_detection"] is None
        await say(connection, speech(0.5))
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        await until(connection, "response.done", seen)
        heard = [e for e in seen if e.type.endswith("transcription.completed")]
        assert [e.transcript for e in heard] == ["utterance 1"]

    with_client(scenario)


def test_a_written_turn():
    async def scenario(connection, seen):
        await connection.session.update(session=TEXT_ONLY)
        await connection.conversation.item.create(item=hello())
        await connection.response.create()
        done = await until(connection, "response.done", seen)
        text = "".join(e.delta for e in seen if e.type == "response.output_text.delta")
        assert done.response.output[0].content[0].text == text == "w0 w1 w2. w3 w4 w5. "

    with_client(scenario)


def test_a_call_of_a_function():
    responder = Scripted(calls=[ToolCallDelta(0, "call_9", "weather", '{"city": "Rome"}')])

    async def scenario(connection, seen):
        await connection.session.update(session={"type": "realtime", "tools": [WEATHER]})
        await connection.conversation.item.create(item=hello("how is the weather?"))
        await connection.response.create()
        done = await until(connection, "response.function_call_arguments.done", seen)
        assert (done.name, json.loads(done.arguments)) == ("weather", {"city": "Rome"})
        await until(connection, "response.done", seen)
        output = {"type": "function_call_output", "call_id": done.call_id, "output": "sunny"}
        await connection.conversation.item.create(item=output)
        responder.calls = []
        await connection.response.create()
        await until(connection, "response.done", seen)

    with_client(scenario, make_context(responder))
    assert [message.role for message in responder.asked[1][0]] == ["user", "assistant", "tool"]


def test_cancelling():
    context = make_context(
        Scripted(words=60, delta_seconds=0.005), ToneSynthesizer(seconds_per_chunk=0.02)
    )

    async def scenario(connection, seen):
        await connection.conversation.item.create(item=hello())
        await connection.response.create()
        await until(connection, "response.output_audio.delta", seen)
        await connection.response.cancel()
        done = await until(connection, "response.done", seen)
        assert done.response.status == "cancelled"
        assert done.response.status_details.reason == "client_cancelled"

    with_client(scenario, context)


def test_speaking_over_a_reply_and_telling_what_was_heard():
    context = make_context(
        Scripted(words=60, delta_seconds=0.005), ToneSynthesizer(seconds_per_chunk=0.02)
    )

    async def scenario(connection, seen):
        await connection.conversation.item.create(item=hello())
        await connection.response.create()
        item_id = (await until(connection, "response.output_audio.delta", seen)).item_id
        for _ in range(4):
            await until(connection, "response.output_audio.delta", seen)
        await say(connection, speech(0.3))
        await until(connection, "input_audio_buffer.speech_started", seen)
        done = await until(connection, "response.done", seen)
        assert done.response.status_details.reason == "turn_detected"
        await connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=350
        )
        truncated = await until(connection, "conversation.item.truncated", seen)
        assert truncated.audio_end_ms == 350
        await connection.conversation.item.retrieve(item_id=item_id)
        item = (await until(connection, "conversation.item.retrieved", seen)).item
        assert item.content[0].transcript == "w0 w1 w2."
        await say(connection, silence(1.0))
        await until(connection, "response.created", seen)

    with_client(scenario, context)


def test_what_was_appended_can_be_cleared():
    async def scenario(connection, seen):
        await connection.session.update(session=MANUAL)
        await say(connection, speech(0.5))
        await connection.input_audio_buffer.clear()
        await until(connection, "input_audio_buffer.cleared", seen)
        await connection.output_audio_buffer.clear()  # nothing plays: nothing happens
        await say(connection, speech(0.3))
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        await until(connection, "response.done", seen)

    _, context = with_client(scenario)
    assert context.stages.recognizer.heard_seconds == [pytest.approx(0.3, abs=0.02)]


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
def test_telephones(kind):
    voice = {"format": {"type": kind}}

    async def scenario(connection, seen):
        session = {"type": "realtime", "audio": {"input": voice, "output": voice}}
        await connection.session.update(session=session)
        await connection.conversation.item.create(item=hello())
        await connection.response.create()
        await until(connection, "response.done", seen)
        deltas = [e.delta for e in seen if e.type == "response.output_audio.delta"]
        assert len(b"".join(map(base64.b64decode, deltas))) == 6 * 800

    with_client(scenario)


def test_a_session_that_only_writes_down():
    async def scenario(connection, seen):
        await say(connection, speech(0.5) + silence(0.8))
        heard = await until(
            connection, "conversation.item.input_audio_transcription.completed", seen
        )
        assert heard.transcript == "utterance 1"

    _, context = with_client(scenario, extra_query={"intent": "transcription"})
    assert context.stages.responder.asked == []


def test_every_event_that_the_package_can_send_is_known():
    from openai.types.realtime import RealtimeClientEvent

    (union, *_) = get_args(RealtimeClientEvent)
    sent = {get_args(event.model_fields["type"].annotation)[0] for event in get_args(union)}
    sent.discard("transcription_session.update")  # of the beta, listed until 1.107
    assert len(sent) > 9
    assert sent <= {event.__struct_config__.tag for event in get_args(ClientEvent)}


def test_an_error_leaves_the_session_alive():
    async def scenario(connection, seen):
        await connection.send({"type": "no.such.event", "event_id": "mine"})
        error = (await until(connection, "error", seen)).error
        assert (error.code, error.event_id) == ("unknown_event_type", "mine")
        await connection.conversation.item.create(item=hello())
        await until(connection, "conversation.item.done", seen)

    with_client(scenario)


def test_the_wrong_key_is_refused_before_anything_is_accepted():
    context = make_context(token="a-token-of-some-length")

    async def connect(server, key):
        client = openai.AsyncOpenAI(api_key=key, base_url=f"{server.url}/v1", max_retries=0)
        if _takes_websocket_url():
            client = client.with_options(websocket_base_url=f"{server.ws_url}/v1")
        async with client.realtime.connect(model="m") as connection:
            return (await connection.recv()).type

    with running(context) as server:
        with pytest.raises(Exception, match="401"):
            asyncio.run(connect(server, "wrong"))
        assert asyncio.run(connect(server, "a-token-of-some-length")) == "session.created"


def test_every_event_satisfies_the_packages_own_strict_types():
    from openai.types.realtime import RealtimeServerEvent
    from pydantic import TypeAdapter

    if _version() < (1, 107):
        pytest.skip("the types of this version are a draft, of before the protocol was released")
    adapter = TypeAdapter(RealtimeServerEvent)

    async def scenario(connection, seen):
        await connection.session.update(session={"type": "realtime", "tools": [WEATHER]})
        await say(connection, speech(0.5) + silence(0.8))
        done = await until(connection, "response.done", seen)
        item_id = done.response.output[0].id
        await connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=100
        )
        await connection.conversation.item.retrieve(item_id=item_id)
        await connection.conversation.item.delete(item_id=item_id)
        await until(connection, "conversation.item.deleted", seen)
        await connection.response.create(response={"output_modalities": ["text"]})
        await until(connection, "response.done", seen)
        for event in seen:
            read = adapter.validate_python(_as_typed(event.to_dict(warnings=False)))
            assert read.type == event.type

    with_client(scenario)


def _version():
    return tuple(int(part) for part in openai.__version__.split(".")[:2])


def _as_typed(event):
    """The event; for types that know no transcriber but OpenAI's, under a name of theirs."""
    from openai.types.realtime import AudioTranscription

    names = AudioTranscription.model_fields["model"].annotation
    if event["type"] in ("session.created", "session.updated") and str not in _parts(names):
        event["session"]["audio"]["input"]["transcription"]["model"] = "whisper-1"
    return event


def _parts(annotation):
    """A type and all that it is made of."""
    inner = [part for argument in get_args(annotation) for part in _parts(argument)]
    return [annotation, *inner]


def test_beta_clients():
    async def run(server):
        client = openai.AsyncOpenAI(api_key="any", base_url=f"{server.url}/v1")
        if _takes_websocket_url():
            client = client.with_options(websocket_base_url=f"{server.ws_url}/v1")
        async with asyncio.timeout(20), client.beta.realtime.connect(model="m") as connection:
            seen = []
            await until(connection, "session.created", seen)
            await connection.session.update(session={"modalities": ["audio", "text"]})
            await connection.conversation.item.create(item=hello())
            await connection.response.create()
            await until(connection, "response.done", seen)
            return {event.type for event in seen}

    if not hasattr(openai.AsyncOpenAI(api_key="any").beta, "realtime"):
        pytest.skip("this version has no beta client any more")
    with running() as server:
        kinds = asyncio.run(run(server))
    assert {"response.audio.delta", "response.audio_transcript.delta"} <= kinds
    assert "response.output_audio.delta" not in kinds
