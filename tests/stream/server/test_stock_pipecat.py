"""pipecat's own reader of realtime events, unmodified: it raises on what it does not expect."""

import json

import pytest
from fakes_server import RawClient, Scripted, make_context, running, silence, speech

from selftalk.stream.chat_client import ToolCallDelta

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
