"""Whatever arrives is decoded or refused in one sentence; nothing else ever comes out."""

import asyncio
import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from selftalk.stream.server.api_errors import ApiError
from selftalk.stream.server.api_v2_order import Parameters, read_order
from selftalk.stream.server.bodies import decode_json
from selftalk.stream.server.speech import SpeechRequest
from selftalk.stream.server.wyoming_events import WyomingError, encode_event, read_event

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["1", "true", "wav", "en", "\ud800", "../x", "9" * 400, 10**400, -0.0])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def fields_of(kind):
    names = st.sampled_from([*kind.__struct_fields__, "unknown", "", "é"])
    return st.dictionaries(names, values, max_size=8)


def as_json(fields):
    return json.dumps(fields).encode("utf-8", "surrogatepass")


def mutated(content, cuts):
    """Bytes with some of them exchanged."""
    changed = bytearray(content)
    for place, byte in cuts:
        if changed:
            changed[place % len(changed)] = byte
    return bytes(changed)


cuts = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=3)


def refused_in_a_sentence(error):
    assert error.message
    assert "\n" not in error.message
    assert error.status == 400


@settings(max_examples=150, deadline=None)
@given(fields_of(SpeechRequest), cuts)
def test_bodies_of_speech(fields, changes):
    try:
        order, unknown = decode_json(mutated(as_json(fields), changes), SpeechRequest)
    except ApiError as error:
        refused_in_a_sentence(error)
    else:
        assert isinstance(order.input, str)
        assert order.speed is None or 0.5 <= order.speed <= 2
        assert not set(unknown) & set(SpeechRequest.__struct_fields__)


@settings(max_examples=150, deadline=None)
@given(fields_of(Parameters))
def test_parameters_of_gpt_sovits(fields):
    try:
        order = read_order({"text": "a", "text_lang": "en", **fields})
    except ApiError as error:
        refused_in_a_sentence(error)
    else:
        assert order.text.strip()
        assert 0.5 <= order.parameters.speed_factor <= 2
        assert 0 <= order.pause_seconds <= 10


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=8), values, max_size=4), st.binary(max_size=50), cuts)
def test_events_of_wyoming(data, payload, changes):
    try:
        sent = encode_event("audio-chunk", data, payload)
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError):
        return  # what cannot be sent
    event = asyncio.run(read(mutated(sent, changes)))
    if not changes:
        assert event.payload == payload


async def read(content):
    reader = asyncio.StreamReader(limit=1 << 16)
    reader.feed_data(content)
    reader.feed_eof()
    try:
        return await read_event(reader)
    except WyomingError:
        return None
