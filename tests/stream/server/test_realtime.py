import json
from types import SimpleNamespace

import numpy as np
import pytest
from fakes_http import ToneSynthesizer
from fakes_server import (
    RATE_HZ,
    RawClient,
    Scripted,
    base64_of,
    make_context,
    running,
    silence,
    speech,
)
from websockets.exceptions import ConnectionClosed

from selftalk.stream.errors import ResponderError
from selftalk.stream.minds.chat_client import ToolCallDelta, UsageDelta
from selftalk.stream.selves import load_self
from selftalk.stream.sound.g711 import encode_a_law, encode_mu_law

MANUAL = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
TEXT_ONLY = {"type": "realtime", "output_modalities": ["text"]}
SPOKEN_TURN = [
    "session.created",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]


@pytest.fixture
def client():
    with running() as server, RawClient(server.ws_url) as client:
        client.until("session.created")
        client.context = server.context
        client.server = server
        yield client


@pytest.fixture
def slow_client():
    """One whose replies take their time, so that they can be cut."""
    responder = Scripted(words=60, delta_seconds=0.005)
    synthesizer = ToneSynthesizer(seconds_per_chunk=0.02)
    context = make_context(responder, synthesizer)
    with running(context) as server, RawClient(server.ws_url) as client:
        client.until("session.created")
        client.context = context
        yield client


def update(client, session):
    client.send("session.update", session=session)
    return client.until("session.updated")["session"]


def type_in(client, text):
    content = [{"type": "input_text", "text": text}]
    client.send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )
    return client.until("conversation.item.done")["item"]["id"]


def the_error(client, code):
    error = client.until("error")["error"]
    assert error["code"] == code, error
    return error


class TestTurns:
    def test_speech_is_answered_in_the_order_that_the_protocol_wants(self, client):
        client.say(speech(0.5) + silence(0.8))
        done = client.until("response.done")
        kinds = dict.fromkeys(client.kinds())
        assert list(kinds) == list(dict.fromkeys(SPOKEN_TURN))
        assert done["response"]["status"] == "completed"
        assert done["response"]["output"][0]["content"][0]["transcript"] == "w0 w1 w2. w3 w4 w5."

    def test_the_audio_is_all_there_and_each_word_has_its_time(self, client):
        client.say(speech(0.5) + silence(0.8))
        client.until("response.done")
        deltas = [e for e in client.seen if e["type"] == "response.output_audio.delta"]
        audio = b"".join(map(_decoded, deltas))
        assert len(audio) == 2 * 6 * RATE_HZ // 10
        words = [word for delta in deltas for word in delta["words"]]
        assert [word["text"] for word in words] == ["w0", "w1", "w2.", "w3", "w4", "w5."]
        assert [word["start_ms"] for word in words] == [0, 100, 200, 300, 400, 500]

    def test_turns_by_hand(self, client):
        assert update(client, MANUAL)["audio"]["input"]["turn_detection"] is None
        client.say(speech(0.5))
        client.send("input_audio_buffer.commit")
        item_id = client.until("input_audio_buffer.committed")["item_id"]
        completed = client.until("conversation.item.input_audio_transcription.completed")
        assert (completed["item_id"], completed["transcript"]) == (item_id, "utterance 1")
        client.send("response.create")
        assert client.until("response.done")["response"]["status"] == "completed"
        assert client.context.stages.responder.asked[0][0][-1].text == "utterance 1"

    def test_by_hand_nothing_is_answered_until_it_is_asked_for(self, client):
        update(client, MANUAL)
        client.say(speech(0.5) + silence(1.0))
        client.send("input_audio_buffer.commit")
        client.until("conversation.item.input_audio_transcription.completed")
        client.send("conversation.item.retrieve", item_id="nobody")
        the_error(client, "item_not_found")
        assert "response.created" not in client.kinds()

    def test_a_response_asked_for_at_once_waits_for_the_transcript(self, client):
        update(client, MANUAL)
        client.say(speech(0.5))
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        client.until("response.done")
        assert client.context.stages.responder.asked[0][0][-1].text == "utterance 1"

    def test_an_empty_buffer_cannot_be_committed(self, client):
        update(client, MANUAL)
        client.send("input_audio_buffer.commit", event_id="mine")
        assert the_error(client, "input_audio_buffer_commit_empty")["event_id"] == "mine"

    def test_what_was_cleared_is_not_heard(self, client):
        update(client, MANUAL)
        client.say(speech(0.5))
        client.send("input_audio_buffer.clear")
        client.until("input_audio_buffer.cleared")
        client.send("input_audio_buffer.commit")
        the_error(client, "input_audio_buffer_commit_empty")

    def test_speech_under_way_can_be_cleared(self, client):
        client.say(speech(0.5))
        client.until("input_audio_buffer.speech_started")
        client.send("input_audio_buffer.clear")
        client.until("input_audio_buffer.cleared")
        client.say(silence(1.0) + speech(0.5) + silence(1.0))
        started = client.until("input_audio_buffer.speech_started")
        assert 1000 <= started["audio_start_ms"] <= 1500
        client.until("response.done")
        assert len(client.context.stages.recognizer.heard_seconds) == 1

    def test_without_create_response_speech_is_only_written_down(self, client):
        detection = {"type": "server_vad", "create_response": False}
        update(client, {"type": "realtime", "audio": {"input": {"turn_detection": detection}}})
        client.say(speech(0.5) + silence(1.0))
        client.until("conversation.item.input_audio_transcription.completed")
        client.send("response.create")
        client.until("response.done")
        assert len(client.context.stages.responder.asked) == 1

    def test_a_session_that_only_writes_down(self):
        with running() as server, RawClient(server.ws_url, "intent=transcription") as client:
            assert client.next()["session"]["type"] == "transcription"
            client.say(speech(0.5) + silence(1.0))
            client.until("conversation.item.input_audio_transcription.completed")
            client.send("response.create")
            the_error(client, "invalid_event")
            assert not server.context.stages.responder.asked


class TestText:
    def test_a_written_reply_is_not_spoken(self, client):
        update(client, TEXT_ONLY)
        type_in(client, "hello")
        client.send("response.create")
        done = client.until("response.done")["response"]
        assert done["output"][0]["content"] == [
            {"type": "output_text", "text": "w0 w1 w2. w3 w4 w5. "}
        ]
        assert not client.context.stages.synthesizer.calls
        assert "".join(_deltas(client, "response.output_text.delta")) == "w0 w1 w2. w3 w4 w5. "

    def test_the_model_is_told_all_that_was_written(self, client):
        update(client, TEXT_ONLY | {"instructions": "Be brief."})
        for text in ("one", "two"):
            type_in(client, text)
            client.send("response.create")
            client.until("response.done")
        told = client.context.stages.responder.asked[1][0]
        assert [(m.role, m.text.strip()) for m in told] == [
            ("system", "Be brief."),
            ("user", "one"),
            ("assistant", "w0 w1 w2. w3 w4 w5."),
            ("user", "two"),
        ]

    def test_one_response_can_have_settings_of_its_own(self, client):
        type_in(client, "hello")
        wanted = {"output_modalities": ["text"], "instructions": "Rhyme.", "metadata": {"a": "b"}}
        client.send("response.create", response=wanted)
        done = client.until("response.done")["response"]
        assert done["output"][0]["content"][0]["type"] == "output_text"
        assert done["metadata"] == {"a": "b"}
        client.send("response.create")
        done = client.until("response.done")["response"]
        assert done["output"][0]["content"][0]["type"] == "output_audio"
        asked = client.context.stages.responder.asked
        assert asked[0][0][0].text == "Rhyme."
        assert asked[1][0][0].role == "user"

    def test_a_response_beside_the_conversation_leaves_it_alone(self, client):
        type_in(client, "hello")
        wanted = {"conversation": "none", "output_modalities": ["text"], "metadata": {"k": "v"}}
        content = [{"type": "input_text", "text": "classify"}]
        wanted["input"] = [{"type": "message", "role": "user", "content": content}]
        client.send("response.create", response=wanted)
        done = client.until("response.done")["response"]
        assert done["conversation_id"] is None
        assert done["metadata"] == {"k": "v"}
        client.send("response.create", response={"output_modalities": ["text"]})
        client.until("response.done")
        asked = client.context.stages.responder.asked
        assert [m.text for m in asked[0][0]] == ["classify"]
        assert [m.text for m in asked[1][0]] == ["hello"]


class TestInterruptions:
    def test_speech_cuts_a_reply(self, slow_client):
        type_in(slow_client, "tell me")
        slow_client.send("response.create")
        slow_client.until("response.output_audio.delta")
        slow_client.say(speech(0.4))
        slow_client.until("input_audio_buffer.speech_started")
        response = slow_client.until("response.done")["response"]
        assert response["status"] == "cancelled"
        assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert response["output"][0]["status"] == "incomplete"

    def test_cancel(self, slow_client):
        type_in(slow_client, "tell me")
        slow_client.send("response.create")
        slow_client.until("response.output_audio.delta")
        slow_client.send("response.cancel")
        response = slow_client.until("response.done")["response"]
        assert response["status_details"]["reason"] == "client_cancelled"
        slow_client.send("response.cancel")
        the_error(slow_client, "response_cancel_not_active")

    def test_one_response_at_a_time(self, slow_client):
        type_in(slow_client, "tell me")
        slow_client.send("response.create")
        slow_client.until("response.created")
        slow_client.send("response.create")
        the_error(slow_client, "conversation_already_has_active_response")

    def test_truncating_keeps_exactly_the_words_that_were_heard(self, client):
        type_in(client, "tell me")
        client.send("response.create")
        item_id = client.until("response.done")["response"]["output"][0]["id"]
        client.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=250
        )
        assert client.until("conversation.item.truncated")["transcript"] == "w0 w1"
        client.send("conversation.item.retrieve", item_id=item_id)
        item = client.until("conversation.item.retrieved")["item"]
        assert item["content"] == [{"type": "output_audio", "transcript": "w0 w1"}]
        type_in(client, "go on")
        client.send("response.create")
        client.until("response.done")
        told = client.context.stages.responder.asked[1][0]
        assert [m.text for m in told] == ["tell me", "w0 w1 —", "go on"]

    def test_a_client_may_say_that_nothing_was_heard(self, client):
        type_in(client, "tell me")
        client.send("response.create")
        item_id = client.until("response.done")["response"]["output"][0]["id"]
        client.send("conversation.item.truncate", item_id=item_id, audio_end_ms=0)
        assert client.until("conversation.item.truncated")["transcript"] == ""

    def test_no_more_can_be_heard_than_there_was(self, client):
        mine = type_in(client, "tell me")
        client.send("response.create")
        item_id = client.until("response.done")["response"]["output"][0]["id"]
        client.send("conversation.item.truncate", item_id=item_id, audio_end_ms=9000)
        assert "lasts 600 ms" in the_error(client, "invalid_value")["message"]
        client.send("conversation.item.truncate", item_id=mine, audio_end_ms=0)
        the_error(client, "invalid_value")

    def test_an_answer_may_follow_while_the_last_is_still_played(self, client):
        for text in ("one", "two"):
            type_in(client, text)
            client.send("response.create")
            assert client.until("response.done")["response"]["status"] == "completed"
        told = client.context.stages.responder.asked[1][0]
        assert [m.text for m in told] == ["one", "w0 w1 w2. w3 w4 w5.", "two"]


class TestItems:
    def test_items_come_where_they_are_wanted_and_go(self, client):
        second = type_in(client, "second")
        content = [{"type": "input_text", "text": "first"}]
        item = {"type": "message", "role": "system", "content": content, "id": "mine"}
        client.send("conversation.item.create", item=item, previous_item_id="root")
        added = client.until("conversation.item.added")
        assert (added["item"]["id"], added["previous_item_id"]) == ("mine", None)
        client.send("conversation.item.create", item=item)
        the_error(client, "item_exists")
        client.send("conversation.item.delete", item_id=second)
        client.until("conversation.item.deleted")
        client.send("conversation.item.delete", item_id=second)
        the_error(client, "item_not_found")

    def test_an_item_may_be_spoken(self, client):
        content = [{"type": "input_audio", "audio": base64_of(speech(0.5))}]
        item = {"type": "message", "role": "user", "content": content}
        client.send("conversation.item.create", item=item)
        client.send("response.create")
        client.until("response.done")
        assert client.context.stages.responder.asked[0][0][-1].text == "utterance 1"


WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}}


class TestFunctions:
    def test_a_call_goes_to_the_client_and_its_result_to_the_model(self):
        calls = [
            ToolCallDelta(0, "call_1", "weather", '{"city"'),
            ToolCallDelta(0, "", "", ': "Rome"}'),
        ]
        responder = Scripted(calls=calls)
        with running(make_context(responder)) as server, RawClient(server.ws_url) as client:
            update(client, {"type": "realtime", "tools": [WEATHER], "tool_choice": "required"})
            type_in(client, "how is the weather")
            client.send("response.create")
            done = client.until("response.function_call_arguments.done")
            assert (done["name"], json.loads(done["arguments"])) == ("weather", {"city": "Rome"})
            response = client.until("response.done")["response"]
            assert response["output"][0]["type"] == "function_call"
            output = {"type": "function_call_output", "call_id": done["call_id"], "output": "sunny"}
            client.send("conversation.item.create", item=output)
            responder.calls = []
            client.send("response.create")
            spoken = client.until("response.done")["response"]["output"][0]
        assert spoken["content"][0]["transcript"] == "w0 w1 w2. w3 w4 w5."
        messages, tools, options = responder.asked[1]
        assert [(m.role, m.text) for m in messages] == [
            ("user", "how is the weather"),
            ("assistant", ""),
            ("tool", "sunny"),
        ]
        assert messages[1].calls[0].arguments == '{"city": "Rome"}'
        assert tools[0]["function"]["name"] == "weather"
        assert options["tool_choice"] == "required"


class TestSettings:
    def test_what_is_absent_stays(self, client):
        before = update(client, {"type": "realtime", "instructions": "a"})
        after = update(client, {"audio": {"output": {"speed": 1.5}}})
        before["audio"]["output"]["speed"] = 1.5
        assert after == before

    @pytest.mark.parametrize(
        "session",
        [
            {"audio": {"output": {"voice": "nobody"}}},
            {"audio": {"input": {"turn_detection": {"type": "wave"}}}},
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}},
            {"type": "transcription"},
            {"tools": [{"type": "mcp"}]},
            {"output_modalities": ["text", "audio"]},
        ],
    )
    def test_what_cannot_be_is_refused_and_changes_nothing(self, client, session):
        before = update(client, {})
        client.send("session.update", session=session, event_id="e")
        assert the_error(client, "invalid_value")["event_id"] == "e"
        assert update(client, {}) == before

    def test_the_names_of_openais_voices_are_names_of_the_default_one(self, client):
        update(client, {"audio": {"output": {"voice": "marin"}}})
        type_in(client, "hello")
        client.send("response.create")
        client.until("response.done")
        assert client.context.stages.synthesizer.calls[0][1].name == "default"

    def test_the_voice_can_be_chosen_until_it_was_heard(self, client):
        update(client, {"audio": {"output": {"voice": {"id": "me"}}}})
        type_in(client, "hello")
        client.send("response.create")
        client.until("response.done")
        assert client.context.stages.synthesizer.calls[0][1].name == "me"
        client.send("session.update", session={"audio": {"output": {"voice": "friend"}}})
        the_error(client, "cannot_update_voice")

    def test_the_style_may_change_after_the_voice_was_heard(self, client):
        client.context.voice_named = lambda name: SimpleNamespace(name=name)
        for voice in ("me", "me:lively", "me:tired", "me"):
            settings = update(client, {"audio": {"output": {"voice": voice}}})
            assert settings["audio"]["output"]["voice"] == voice
            type_in(client, "hello")
            client.send("response.create")
            client.until("response.done")
        said = [voice.name for _, voice, _ in client.context.stages.synthesizer.calls]
        assert list(dict.fromkeys(said)) == ["me", "me:lively", "me:tired"]
        assert said[-1] == "me"
        client.send("session.update", session={"audio": {"output": {"voice": "friend:lively"}}})
        the_error(client, "cannot_update_voice")

    @pytest.mark.parametrize(
        ("kind", "encode"), [("audio/pcmu", encode_mu_law), ("audio/pcma", encode_a_law)]
    )
    def test_telephones(self, client, kind, encode):
        formats = {"input": {"format": {"type": kind}}, "output": {"format": {"type": kind}}}
        update(client, {"audio": formats})
        loud = np.repeat(np.tile([0.5, -0.5], 1000), 2).astype(np.float32)
        for audio in (loud, np.zeros(8000, np.float32)):
            client.send("input_audio_buffer.append", audio=base64_of(encode(audio)))
        client.until("response.done")
        deltas = [e for e in client.seen if e["type"] == "response.output_audio.delta"]
        assert sum(len(_decoded(delta)) for delta in deltas) == 6 * 800


def test_a_client_may_choose_whom_it_talks_with():
    context = make_context()
    context.self_name = "Friend"
    context.selves = {self_.name: self_ for self_ in map(load_self, ("friend", "coach"))}
    with running(context) as server, RawClient(server.ws_url) as client:
        chosen = client.until("session.created")["session"]["selftalk"]
        assert chosen == {"self": "Friend", "selves": sorted(context.selves)}
        client.send("session.update", session={"selftalk": {"self": "Nobody"}})
        the_error(client, "invalid_value")
        other = next(name for name in context.selves if name != "Friend")
        update(client, {"selftalk": {"self": other}, "output_modalities": ["text"]})
        type_in(client, "hello")
        client.send("response.create")
        client.until("response.done")
    told = context.stages.responder.asked[0][0][0]
    assert told.role == "system"
    assert told.text == context.selves[other].instructions()


class TestFaults:
    def test_a_failing_model_fails_the_response_and_not_the_session(self):
        responder = Scripted(error=ResponderError("no chat server answers"))
        with running(make_context(responder)) as server, RawClient(server.ws_url) as client:
            type_in(client, "hello")
            client.send("response.create")
            response = client.until("response.done")["response"]
            assert response["status"] == "failed"
            assert "no chat server" in response["status_details"]["error"]["message"]
            responder.error = None
            client.send("response.create")
            assert client.until("response.done")["response"]["status"] == "completed"

    def test_a_full_server_says_so(self):
        with running(make_context(capacity=1)) as server, RawClient(server.ws_url) as first:
            first.until("session.created")
            with RawClient(server.ws_url) as second:
                the_error(second, "session_limit_reached")
                with pytest.raises(Exception, match="1013"):
                    second.next()
            first.socket.close()

    def test_a_restart_is_told(self, client):
        client.server.drain()
        with pytest.raises(Exception, match="1012"):
            client.next()
        with RawClient(client.server.ws_url) as late:
            the_error(late, "server_restarting")

    def test_a_conversation_goes_on_after_the_line_broke(self):
        with running() as server:
            with RawClient(server.ws_url) as client:
                session_id = client.until("session.created")["session"]["id"]
                update(client, TEXT_ONLY)
                type_in(client, "remember me")
            with RawClient(server.ws_url, f"selftalk=1&resume={session_id}") as client:
                session = client.until("session.created")["session"]
                assert session["output_modalities"] == ["text"]
                items = client.until("selftalk.resumed")["items"]
                assert items[0]["content"][0]["text"] == "remember me"
            with RawClient(server.ws_url, f"selftalk=1&resume={session_id}x") as client:
                assert client.until("session.created")["session"]["output_modalities"] == ["audio"]
                assert client.until("selftalk.resumed")["items"] == []

    def test_who_comes_back_before_the_broken_line_was_noticed_finds_the_conversation(self):
        with running() as server, RawClient(server.ws_url) as client:
            session_id = client.until("session.created")["session"]["id"]
            type_in(client, "remember me")
            with RawClient(server.ws_url, f"selftalk=1&resume={session_id}") as again:
                items = again.until("selftalk.resumed")["items"]
                assert items[0]["content"][0]["text"] == "remember me"
            with pytest.raises(ConnectionClosed):
                client.until("never")


class TestDialect:
    def test_beta(self):
        headers = {"OpenAI-Beta": "realtime=v1"}
        query = {"additional_headers": headers}
        with running() as server, RawClient(server.ws_url, **query) as client:
            created = client.until("session.created")["session"]
            assert created["input_audio_format"] == "pcm16"
            changed = {"modalities": ["text"], "turn_detection": None}
            assert update(client, changed)["modalities"] == ["text"]
            content = [{"type": "input_text", "text": "hello"}]
            item = {"type": "message", "role": "user", "content": content}
            client.send("conversation.item.create", item=item)
            client.until("conversation.item.created")
            client.send("response.create")
            client.until("response.text.delta")
            done = client.until("response.done")["response"]
            assert done["output"][0]["content"][0]["type"] == "text"
            client.send("response.create", response={"modalities": ["audio", "text"]})
            client.until("response.audio.delta")


class TestObserving:
    def test_an_observer_sees_everything_but_the_audio(self, client):
        from websockets.sync.client import connect

        with connect(f"{client.server.ws_url}/v1/realtime/observe") as observer:
            assert json.loads(observer.recv(5))["type"] == "session.created"
            type_in(client, "hello")
            client.send("response.create")
            while (event := json.loads(observer.recv(5)))["type"] != "response.output_audio.delta":
                pass
            assert (event["delta"], event["duration_ms"]) == ("", 100)


class TestWatching:
    def test_figures(self, client):
        import httpx

        client.say(speech(0.5) + silence(0.8))
        client.until("response.done")
        text = httpx.get(f"{client.server.url}/metrics").text
        assert "selftalk_sessions 1" in text
        assert 'selftalk_stage_seconds_bucket{stage="endpoint_wait"' in text or "sessions" in text
        assert httpx.get(f"{client.server.url}/healthz").status_code == 200
        assert httpx.get(f"{client.server.url}/readyz").text == "ready\n"


def _decoded(event):
    import base64

    return base64.b64decode(event["delta"])


def _deltas(client, kind):
    return [event["delta"] for event in client.seen if event["type"] == kind]


IDLE = {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 1000}}


class TestSilence:
    def test_a_user_who_says_nothing_is_spoken_to(self, client):
        client.send("session.update", session={"type": "realtime", "audio": {"input": IDLE}})
        client.until("session.updated")
        client.send("response.create")
        client.until("response.done")
        client.say(silence(0.5))
        fired = client.until("input_audio_buffer.timeout_triggered")
        assert 0 <= fired["audio_start_ms"] <= fired["audio_end_ms"] <= 500
        assert client.until("input_audio_buffer.committed")["item_id"] == fired["item_id"]
        assert client.until("conversation.item.done")["item"]["id"] == fired["item_id"]
        assert client.until("response.done")["response"]["status"] == "completed"

    def test_a_wish_withdrawn_is_forgotten(self, client):
        for wanted in (IDLE, {"turn_detection": {"idle_timeout_ms": None}}):
            session = {"type": "realtime", "audio": {"input": wanted}}
            client.send("session.update", session=session)
            client.until("session.updated")
        client.send("response.create")
        client.until("response.done")
        with pytest.raises(TimeoutError):
            client.until("input_audio_buffer.timeout_triggered", timeout=2)


class TestUsage:
    def test_sound_is_counted_by_its_length_and_text_by_the_model(self):
        responder = Scripted(usage=UsageDelta(31, 7))
        with running(make_context(responder)) as server, RawClient(server.ws_url) as client:
            client.send("response.create")
            usage = client.until("response.done")["response"]["usage"]
            milliseconds = sum(event.get("duration_ms", 0) for event in client.seen)
        audio = usage["output_token_details"]["audio_tokens"]
        assert milliseconds > 0
        assert audio == pytest.approx(milliseconds / 50, abs=1)
        assert usage["input_token_details"]["text_tokens"] == usage["input_tokens"] == 31
        assert usage["output_tokens"] == 7 + audio
        assert usage["total_tokens"] == 31 + 7 + audio

    def test_a_model_that_does_not_count_counts_nothing(self, client):
        client.send("response.create")
        usage = client.until("response.done")["response"]["usage"]
        assert usage["input_tokens"] == usage["output_token_details"]["text_tokens"] == 0
