import base64
import io
import json
import socket
import time
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import openai
import pytest
import soundfile
from fakes_http import (
    CHUNK_SAMPLES,
    VOICE_HZ,
    ToneSynthesizer,
    big_chunks,
    eventually,
    http,
    make_context,
    serving,
)

from selftalk.stream.server.app import build_app
from selftalk.stream.server.speech import TOKENS_PER_SECOND
from selftalk.stream.thread_stream import live_generations
from selftalk.stream.trust.labels import NOTICES, LabelsConfig, opening, read_label

TEXT = "One two three four five. Six seven eight nine ten."
SECONDS = 10 * CHUNK_SAMPLES / VOICE_HZ


@pytest.fixture
def synthesizer():
    return ToneSynthesizer()


@pytest.fixture
def context(synthesizer):
    return make_context(synthesizer)


@pytest.fixture
def url(context):
    with serving(build_app(context)) as address:
        yield address


@pytest.fixture
def client(url):
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0) as one:
        yield one


def post(url, **body):
    return http.post(f"{url}/v1/audio/speech", json=body)


# --- the openai package, as its users call it ----------------------------------------------------


@pytest.mark.parametrize("name", ["mp3", "opus", "flac", "wav", "pcm"])
def test_openai_client_gets_every_format(client, name):
    speech = client.audio.speech.create(
        model="tts-1", voice="alloy", input=TEXT, response_format=name
    )
    if name == "pcm":
        seconds = len(speech.content) / 2 / 24_000
    else:
        samples, rate_hz = soundfile.read(io.BytesIO(speech.content))
        seconds = len(samples) / rate_hz
    assert seconds == pytest.approx(SECONDS, abs=0.15)


def test_openai_client_streams_before_the_end_is_spoken(client, synthesizer):
    synthesizer.seconds_per_chunk = 0.02
    with client.audio.speech.with_streaming_response.create(
        model="selftalk", voice="me", input="word " * 50, response_format="pcm"
    ) as response:
        pieces = response.iter_bytes()
        next(pieces)
        assert synthesizer.steps < 40
        rest = b"".join(pieces)
    assert len(rest) > 40 * CHUNK_SAMPLES
    assert synthesizer.calls[0][1].name == "me"


def test_openai_client_saves_a_file(client, tmp_path):
    path = tmp_path / "speech.mp3"
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice={"id": "friend"}, input=TEXT, instructions="Be kind."
    ) as response:
        assert response.headers["x-selftalk-voice"] == "friend"
        assert response.headers["x-selftalk-ignored"] == "instructions"
        response.stream_to_file(path)
    assert soundfile.info(path).duration == pytest.approx(SECONDS, abs=0.15)


def test_openai_client_names_a_wrong_field(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.speech.create(model="m", voice="nobody", input=TEXT)
    assert caught.value.param == "voice"
    assert caught.value.code == "voice_not_found"
    assert "known: default, me, friend" in caught.value.message


# --- what is asked for ---------------------------------------------------------------------------


def test_events_hold_the_sound_and_the_words(url):
    body = {"model": "m", "voice": "me", "input": TEXT, "stream_format": "sse"}
    response = post(url, **body, response_format="pcm")
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in response.text.split("\n\n") if line]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"
    usage = events[-1]["usage"]
    assert usage["input_tokens"] + usage["output_tokens"] == usage["total_tokens"]
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert len(sound) / 2 / 24_000 == pytest.approx(SECONDS, abs=0.01)
    words = [word for event in events[:-1] for word in event.get("words", [])]
    assert [word["text"] for word in words] == TEXT.split()
    assert words[5] == {"text": "Six", "start_ms": 500, "end_ms": 600}


def test_openai_client_reads_events(client):
    asked = {"model": "m", "voice": "me", "input": TEXT, "stream_format": "sse"}
    with client.audio.speech.with_streaming_response.create(**asked) as response:
        *deltas, done = [json.loads(line[6:]) for line in response.iter_lines() if line]
    assert all(delta["type"] == "speech.audio.delta" for delta in deltas)
    assert deltas[0]["audio"]
    heard = round(SECONDS * TOKENS_PER_SECOND)
    usage = {"input_tokens": len(TEXT), "output_tokens": heard, "total_tokens": len(TEXT) + heard}
    assert done == {"type": "speech.audio.done", "usage": usage}


def test_options_reach_the_synthesizer(url, synthesizer):
    response = post(
        url, model="m", input="Hello.", voice="me", speed=2, seed=7, language="zh",
        pitch_semitones=-2, response_format="pcm",
    )  # fmt: skip
    assert len(response.content) == CHUNK_SAMPLES  # half of the samples, two bytes each
    options = synthesizer.calls[0][2]
    assert (options.seed, options.language, options.pitch_semitones) == (7, "zh", -2)


def test_null_is_as_good_as_left_out(url):
    body = dict.fromkeys(["speed", "instructions", "response_format", "stream_format", "voice"])
    assert post(url, input="Hello.", **body).status_code == 200


def test_what_has_no_effect_is_said(url):
    response = post(url, input="Hello.", voice="me", lang_code="a", volume=3)
    assert response.headers["x-selftalk-ignored"] == "lang_code, volume"


@pytest.mark.parametrize(
    ("change", "param", "words"),
    [
        ({"response_format": "aac"}, "response_format", "mp3, opus, flac, wav, pcm"),
        ({"stream_format": "video"}, "stream_format", "video"),
        ({"speed": 4}, "speed", "<= 2"),
        ({"speed": "fast"}, "speed", "float"),
        ({"input": " \n"}, "input", "no text"),
        ({"input": "…"}, None, "nothing that can be spoken"),
        ({"input": "a" * 4097}, "input", "4096"),
        ({"input": 3}, "input", "str"),
        ({"voice": {"name": "me"}}, "id", "missing"),
        ({"voice": "../../etc/passwd"}, "voice", "unknown voice"),
        ({"language": "xx"}, "language", "auto"),
        ({"language": "ko"}, None, "does not speak 'ko'"),
        ({"seed": -1}, "seed", ">= 0"),
    ],
)
def test_wrong_fields_are_named(url, change, param, words):
    response = post(url, **{"input": TEXT, "voice": "me", **change})
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert words in error["message"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"input":"\xff"}', b'{"input":"\\ud800"}', b"[" * 100_000, b"NaN"]
)
def test_what_is_no_json_is_refused(url, body):
    response = http.post(f"{url}/v1/audio/speech", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_a_missing_text_is_named(url):
    error = post(url, voice="me").json()["error"]
    assert (error["param"], error["message"]) == ("input", "'input' is missing")


def test_large_bodies_are_refused_by_their_announcement_and_while_they_come(url):
    assert post(url, input="a", instructions="b" * 200_000).status_code == 413

    def endless():
        for _ in range(10):
            yield b"x" * 50_000

    response = http.post(f"{url}/v1/audio/speech", content=endless())
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "body_too_large"


def test_what_is_due_is_heard_and_read_first(synthesizer):
    context = make_context(synthesizer)
    labels = replace(context.config.labels, cue="speech")
    context.config = replace(context.config, labels=labels)
    with serving(build_app(context)) as url:
        response = post(url, input="Hello.", voice="me", response_format="wav", language="en")
    assert [text for text, _, _ in synthesizer.calls] == [NOTICES["en"], "Hello."]
    assert "selftalk" in read_label(response.content).to_json()


def test_a_cue_moves_the_words(synthesizer):
    context = make_context(synthesizer)
    context.config = replace(context.config, labels=LabelsConfig(cue="rhythm"))
    with serving(build_app(context)) as url:
        body = {"input": "Hello.", "stream_format": "sse", "response_format": "pcm"}
        events = [json.loads(line[6:]) for line in post(url, **body).text.split("\n\n") if line]
    cue_ms = 1000 * len(opening(VOICE_HZ, LabelsConfig(cue="rhythm"))) / VOICE_HZ
    words = [word for event in events for word in event.get("words", [])]
    assert [word["start_ms"] for word in words] == [pytest.approx(cue_ms, abs=1)]


# --- ends ----------------------------------------------------------------------------------------


def raw_request(url, body):
    """A connection on which a request was sent, so that a test decides when to read."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    content = json.dumps(body).encode()
    connection.sendall(
        b"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(content), content)
    )
    return connection


LONG = {"input": "word " * 800, "voice": "me", "response_format": "wav"}


def test_a_client_that_leaves_ends_the_generation(url, synthesizer, context):
    synthesizer.seconds_per_chunk = 0.01
    with raw_request(url, LONG) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert eventually(lambda: not synthesizer.running)
    assert synthesizer.steps < 100
    assert eventually(lambda: context.admission.active == 0 and live_generations() == 0)


def test_a_client_that_leaves_before_the_first_sound_ends_it_too(url, synthesizer):
    synthesizer.seconds_per_chunk = 0.3
    with raw_request(url, LONG):
        assert eventually(lambda: synthesizer.running == 1)
    assert eventually(lambda: not synthesizer.running, 2)
    assert synthesizer.steps <= 1


def test_a_client_that_reads_nothing_is_cut_off(synthesizer):
    context = make_context(synthesizer, stalled_reader_seconds=0.2)
    synthesizer.sample_rate_hz = VOICE_HZ
    with serving(build_app(context)) as url, raw_request(url, LONG) as connection:
        started = time.monotonic()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert eventually(lambda: synthesizer.running == 1)
        # The rest would fill what the kernel keeps for the reader many times over.
        big_chunks(synthesizer)
        assert eventually(lambda: not synthesizer.running and context.admission.active == 0, 10)
        assert time.monotonic() - started < 10
        assert synthesizer.steps < 800


def test_a_failure_before_the_first_sound_is_an_error_without_the_inside(url, synthesizer):
    synthesizer.fails_at = 0
    response = post(url, input=TEXT, voice="me")
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"
    assert "secret" not in response.text


def test_a_failure_later_breaks_the_connection(url, synthesizer):
    synthesizer.fails_at = 3
    with pytest.raises(httpx.RemoteProtocolError):
        post(url, input=TEXT, voice="me", response_format="wav")


def test_a_full_server_says_so_at_once(url, context):
    with context.admission.admitted("a"), context.admission.admitted("b"):
        context.admission.capacity = 2
        response = post(url, input=TEXT, voice="me")
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json()["error"]["code"] == "session_limit_reached"
    assert post(url, input=TEXT, voice="me").status_code == 200
