from pathlib import Path

import msgspec
import pytest

from selftalk.stream.protocol import (
    ClientEvent,
    ProtocolError,
    ServerEvent,
    decode_client_event,
    decode_server_event,
    encode,
)
from selftalk.stream.protocol import server_events as events
from selftalk.stream.protocol.describe import document
from selftalk.stream.protocol.settings import RealtimeSession

CLIENT_EVENTS = {
    "session.update", "input_audio_buffer.append", "input_audio_buffer.commit",
    "input_audio_buffer.clear", "conversation.item.create", "conversation.item.retrieve",
    "conversation.item.delete", "conversation.item.truncate", "response.create",
    "response.cancel", "output_audio_buffer.clear",
}  # fmt: skip


TRUNCATE = '{"type": "conversation.item.truncate", "item_id": "i", "audio_end_ms": %s}'


def tags(union):
    return {msgspec.inspect.type_info(one).tag for one in union.__args__}


def test_all_eleven_client_events_are_known():
    assert tags(ClientEvent) == CLIENT_EVENTS


def test_an_event_comes_back_as_it_was_sent():
    sent = events.SessionCreated(event_id="e", session=RealtimeSession(instructions="hi"))
    assert decode_server_event(encode(sent)) == sent


def test_audio_is_base64_on_the_wire():
    event = decode_client_event('{"type": "input_audio_buffer.append", "audio": "AAEC"}')
    assert event.audio == b"\0\1\2"
    assert b'"audio":"AAEC"' in encode(event)


def test_fields_of_others_are_passed_over():
    text = '{"type": "input_audio_buffer.clear", "event_id": "e", "novelty": 1}'
    assert decode_client_event(text).event_id == "e"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "invalid_json"),
        (b"\xff", "invalid_json"),
        ("[" * 100_000, "invalid_value"),
        ("[]", "invalid_value"),
        ('{"type": "response.destroy", "event_id": "e"}', "unknown_event_type"),
        ('{"type": "conversation.item.delete", "event_id": "e"}', "missing_required_parameter"),
        ('{"type": "input_audio_buffer.append", "audio": "@"}', "invalid_value"),
        (TRUNCATE % -1, "invalid_value"),
        (TRUNCATE % "NaN", "invalid_json"),
    ],
)
def test_what_does_not_fit_is_one_sentence(text, code):
    with pytest.raises(ProtocolError) as caught:
        decode_client_event(text)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
    if '"e"' in str(text):
        assert caught.value.event_id == "e"


def test_every_server_event_carries_what_strict_clients_require():
    for one in ServerEvent.__args__:
        names = {field.name for field in msgspec.structs.fields(one)}
        assert "event_id" in names, one


def test_the_page_about_the_protocol_is_what_the_code_says():
    page = Path(__file__).parents[2] / "docs" / "protocol.md"
    assert page.read_text(encoding="utf-8") == document(), (
        "run: python -m selftalk.stream.protocol.describe > docs/protocol.md"
    )
